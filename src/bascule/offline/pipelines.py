"""What a task costs that takes several calls: best of n, verify and regenerate, workers. Pure and exact."""

from collections.abc import Sequence

from msgspec import Struct

from bascule.offline.quantity import ZERO, Span
from bascule.offline.workloads import PriceOf, Workload, usd_per_call


class Step(Struct, frozen=True, kw_only=True):
    call: Workload
    """One call; its `calls` is how often it is made by a task that comes to this step."""
    when: Span
    """The share of tasks that come to it, e.g. the rate at which a check fails."""


class Pipeline(Struct, frozen=True, kw_only=True):
    name: str
    tasks: Span | None
    """A month; None where only the cost of a task is asked for."""
    steps: tuple[Step, ...]


class StepCost(Struct, frozen=True, kw_only=True):
    step: Step
    usd_per_call: Span
    usd_per_task: Span
    """On average over all tasks, those that do not come to it too."""


class PipelineCost(Struct, frozen=True, kw_only=True):
    pipeline: Pipeline
    steps: tuple[StepCost, ...]
    usd_per_task: Span
    usd: Span | None
    """A month."""


def pipeline_cost(pipeline: Pipeline, price_of: PriceOf) -> PipelineCost:
    """Raises BasculeError where a price is not known."""
    steps: list[StepCost] = []
    for step in pipeline.steps:
        each = usd_per_call(step.call, price_of)
        steps.append(StepCost(step=step, usd_per_call=each, usd_per_task=each.times(step.call.calls).times(step.when)))
    total = sum([one.usd_per_task for one in steps], ZERO)
    return PipelineCost(
        pipeline=pipeline,
        steps=tuple(steps),
        usd_per_task=total,
        usd=None if pipeline.tasks is None else total.times(pipeline.tasks),
    )


def pipelines_usd(costs: Sequence[PipelineCost]) -> Span:
    """A month of those whose number of tasks is known."""
    return sum([one.usd for one in costs if one.usd is not None], ZERO)
