"""The shape of a plan, as somebody writes it in YAML: what a month's work is. `offline.plan` reads and checks it.

Numbers are exact; most may be a range `[low, high]`, and shares may be percentages.
"""

from decimal import Decimal

from msgspec import Struct

from bascule.config.scalars import Number
from bascule.offline.optimisation import Kind

Amount = Number | tuple[Number, ...]
"""A number, or a range of two."""
ONE = Decimal(1)


class PriceShape(Struct, frozen=True):
    """US dollars per million tokens."""

    input: Number | None = None
    output: Number | None = None
    cache_read: Number | None = None
    cache_write: Number | None = None


class CallShape(Struct, frozen=True, kw_only=True):
    """One call: tokens, content, both, or a stated cost."""

    model: str | None = None
    tokens_in: Amount | None = None
    tokens_out: Amount | None = None
    reads: dict[str, Amount] = {}
    """Content type to how many of them a call takes in."""
    writes: dict[str, Amount] = {}
    usd_per_call: Amount | None = None
    output_cost_share: Number | None = None


class TaskShape(CallShape, frozen=True, kw_only=True):
    task: str
    calls: Amount
    """A month."""


class BaselineShape(Struct, frozen=True, kw_only=True):
    model: str
    usd_per_call: Amount | None = None


class OptimisationShape(Struct, frozen=True, kw_only=True):
    kind: Kind
    share: Amount | None = None
    saves: Amount | None = None
    to: str | None = None
    write_share: Amount | None = None
    read: Number | None = None
    write: Number | None = None
    discount: Number | None = None
    tasks: tuple[str, ...] = ()


class StepShape(CallShape, frozen=True, kw_only=True):
    step: str
    times: Amount = ONE
    when: Amount = ONE


class PipelineShape(Struct, frozen=True, kw_only=True):
    pipeline: str
    tasks: Amount | None = None
    """A month."""
    steps: tuple[StepShape, ...]


class AgentShape(CallShape, frozen=True, kw_only=True):
    agent: str
    per_day: Amount


class PlanShape(Struct, frozen=True, kw_only=True):
    content: dict[str, Number] = {}
    """Further content types, or other sizes of known ones, in tokens."""
    prices: dict[str, PriceShape] = {}
    """Models at prices of one's own; others are looked up in the price book."""
    baseline: BaselineShape | None = None
    tasks: tuple[TaskShape, ...] = ()
    optimisations: tuple[OptimisationShape, ...] = ()
    pipelines: tuple[PipelineShape, ...] = ()
    agents: tuple[AgentShape, ...] = ()
    days: Number = Decimal(30)
    """In a month, for agents."""
