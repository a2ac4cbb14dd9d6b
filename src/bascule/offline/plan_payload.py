"""A plan's bill as a document: stable keys, dollars as decimal strings, each range by its two ends."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from bascule.offline.background import AgentCost, Commits
from bascule.offline.mix import Against, Mix
from bascule.offline.optimisation import Case, Combined, Part
from bascule.offline.pipelines import PipelineCost, StepCost
from bascule.offline.plan_bill import PlanBill
from bascule.offline.quantity import PLACES, Span, number_text, span_payload, terminating, usd_text_of
from bascule.offline.workloads import ModelPrice, Workload


def plan_payload(bill: PlanBill, prices: Iterable[ModelPrice], *, prices_at: str | None) -> dict[str, Any]:
    return {
        "per": "month",
        **span_payload("cost", bill.usd),
        "tasks": None if bill.mix is None else mix_payload(bill.mix),
        "optimisations": None if bill.combined is None else combined_payload(bill.combined),
        "pipelines": [pipeline_payload(one) for one in bill.pipelines],
        "agents": {
            "days": number_text(bill.plan.days),
            **span_payload("cost", bill.agents_usd),
            "rows": [agent_payload(one) for one in bill.agents],
        },
        "prices": [price_payload(one) for one in prices],
        "prices_at": prices_at,
    }


def mix_payload(mix: Mix) -> dict[str, Any]:
    return {
        **span_payload("calls", mix.calls, ""),
        **span_payload("cost", mix.usd),
        **span_payload("per_call", mix.usd_per_call),
        "rows": [
            {
                "task": row.workload.task,
                "model": row.workload.model,
                **span_payload("calls", row.workload.calls, ""),
                **tokens_payload(row.workload),
                **span_payload("per_call", row.usd_per_call),
                **span_payload("cost", row.usd),
            }
            for row in mix.rows
        ],
        "baseline": mix.baseline,
        "all_on_baseline": against_payload(mix.stated),
        "like_for_like": against_payload(mix.like_for_like),
        "like_for_like_any_split": against_payload(mix.any_split),
    }


def tokens_payload(call: Workload) -> dict[str, Any]:
    """Per call; null where a cost is stated instead."""
    return {**span_payload("tokens_in", call.tokens_in, ""), **span_payload("tokens_out", call.tokens_out, "")}


def against_payload(against: Against | None) -> dict[str, Any] | None:
    """`saving` is a share of the baseline's bill."""
    if against is None:
        return None
    return {**span_payload("cost", against.usd), **span_payload("saving", against.saving, "")}


def combined_payload(combined: Combined) -> dict[str, Any]:
    """`lowest_bill` and `highest_bill`: the two ends of all ranges together, the same where nothing is a range."""
    return {"lowest_bill": case_payload(combined.low), "highest_bill": case_payload(combined.high)}


def case_payload(case: Case) -> dict[str, Any]:
    saved = case.before_usd - case.after_usd
    return {
        "before_usd": usd_text_of(case.before_usd),
        "after_usd": usd_text_of(case.after_usd),
        "saved_usd": usd_text_of(saved),
        "saving": number_text(case.saving),
        "alone_sum_usd": usd_text_of(sum([one.alone_usd for one in case.parts], Fraction(0))),
        "parts": [
            {
                "optimisation": one.of.kind,
                "to": one.of.to,
                "tasks": list(one.of.tasks),
                **span_payload("share", one.of.share, ""),
                **span_payload("saves", one.of.saves, ""),
                "alone_usd": usd_text_of(one.alone_usd),
                "part_usd": usd_text_of(part),
            }
            for one, part in zip(case.parts, printed_parts(case.parts, saved), strict=True)
        ],
    }


def printed_parts(parts: Sequence[Part], total: Fraction) -> list[Fraction]:
    """The parts as they are where decimals can write them, else cut to `PLACES` by largest remainder: what is printed
    sums to the printed total either way."""
    exact = [one.part_usd for one in parts]
    if all(terminating(part) is not None for part in exact):
        return exact
    unit = Fraction(1, 10**PLACES)
    units = [part // unit for part in exact]
    left = int(total / unit + Fraction(1, 2)) - sum(units)
    by_remainder = sorted(range(len(exact)), key=lambda index: exact[index] % unit, reverse=True)
    for index in by_remainder[:left]:
        units[index] += 1
    return [count * unit for count in units]


def pipeline_payload(cost: PipelineCost) -> dict[str, Any]:
    return {
        "pipeline": cost.pipeline.name,
        **span_payload("tasks", cost.pipeline.tasks, ""),
        **span_payload("per_task", cost.usd_per_task),
        **span_payload("cost", cost.usd),
        "steps": [step_payload(one) for one in cost.steps],
    }


def step_payload(cost: StepCost) -> dict[str, Any]:
    call = cost.step.call
    return {
        "step": call.task,
        "model": call.model,
        **span_payload("times", call.calls, ""),
        **span_payload("when", cost.step.when, ""),
        **tokens_payload(call),
        **span_payload("per_call", cost.usd_per_call),
        **span_payload("per_task", cost.usd_per_task),
    }


def agent_payload(cost: AgentCost) -> dict[str, Any]:
    check = cost.agent.check
    return {
        "agent": check.task,
        "model": check.model,
        **span_payload("per_day", check.calls, ""),
        **tokens_payload(check),
        **span_payload("per_check", cost.usd_per_check),
        **span_payload("cost", cost.usd),
    }


def price_payload(price: ModelPrice) -> dict[str, Any]:
    named = ("input", "output", "cache_read", "cache_write")
    return {
        "model": price.model,
        "provider": price.provider,
        **{f"{name}_usd_per_mtok": number_text(getattr(price, name)) for name in named},
        "source": price.source,
    }


def multiple_payload(volume: Span, price: Span, bill: Span) -> dict[str, Any]:
    return {
        **span_payload("volume_multiple", volume, ""),
        **span_payload("price_multiple", price, ""),
        **span_payload("bill_multiple", bill, ""),
    }


def commits_payload(commits: Commits) -> dict[str, Any]:
    return {
        "commits": commits.commits,
        "diff_bytes": commits.diff_bytes,
        "days": number_text(commits.days),
        "commits_per_month": number_text(commits.per_month()),
    }
