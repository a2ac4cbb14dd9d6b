"""A plan's bill as tables: the mix, what it is measured against, what each optimisation contributes, and the rest."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import click

from bascule.cli.amounts import count_span, dollars, dollars_span, percent, percent_span
from bascule.cli.output import print_table
from bascule.offline.background import AgentCost
from bascule.offline.mix import Mix
from bascule.offline.optimisation import Combined, Optimisation
from bascule.offline.pipelines import PipelineCost
from bascule.offline.plan_bill import PlanBill
from bascule.offline.quantity import number_text
from bascule.offline.workloads import ModelPrice, Workload


def show_plan(bill: PlanBill, prices: Iterable[ModelPrice], prices_at: str | None) -> None:
    sections = 0
    if bill.mix is not None:
        _mix(bill.mix)
        sections += 1
    if bill.combined is not None:
        _combined(bill.combined)
    for pipeline in bill.pipelines:
        _gap(sections)
        _pipeline(pipeline)
        sections += 1
    if bill.agents:
        _gap(sections)
        _agents(bill.agents, bill)
        sections += 1
    if sections > 1:
        click.echo(f"\nAll of it: {dollars_span(bill.usd)} a month.")
    _prices(list(prices), prices_at)


def _gap(sections: int) -> None:
    if sections:
        click.echo()


def _tokens(call: Workload) -> tuple[str | None, str | None]:
    return count_span(call.tokens_in), count_span(call.tokens_out)


def _mix(mix: Mix) -> None:
    rows: list[Sequence[Any]] = [
        (
            row.workload.task,
            row.workload.model,
            None if row.workload.of_many_calls else count_span(row.workload.calls),
            *_tokens(row.workload),
            None if row.workload.of_many_calls else dollars_span(row.usd_per_call),
            dollars_span(row.usd),
        )
        for row in mix.rows
    ]
    if len(rows) > 1:
        rows.append(("total", None, count_span(mix.calls), None, None, dollars_span(mix.usd_per_call),
                     dollars_span(mix.usd)))  # fmt: skip
    columns = ("task", "model", "calls", "in", "out", "per call", "a month")
    print_table(*_without_empty(columns, rows), optional=("in", "out"))
    if mix.baseline is not None:
        _against(mix)


def _against(mix: Mix) -> None:
    """What the saving is, by what it is compared with."""
    compared = [
        ("every call at a stated cost", mix.stated),
        ("the same tokens, like for like", mix.like_for_like),
        ("… if each task splits in its own way", None if mix.any_split == mix.like_for_like else mix.any_split),
    ]
    rows = [
        (what, dollars_span(found.usd), percent_span(found.saving)) for what, found in compared if found is not None
    ]
    click.echo()
    print_table((f"against all on {mix.baseline}", "a month", "saving"), rows)
    unsplit = [row.workload.task for row in mix.rows if row.workload.unsplit and row.workload.model != mix.baseline]
    if unsplit:
        click.echo(
            f"Like for like is a range because {', '.join(unsplit)} {'states' if len(unsplit) == 1 else 'state'} what "
            "a call costs, not its tokens: from all of it for input to all of it for output."
        )


def _combined(combined: Combined) -> None:
    cases = [combined.low] if combined.exact else [combined.low, combined.high]
    rows: list[Sequence[Any]] = []
    for index, one in enumerate(combined.low.parts):
        cells: list[Any] = [one.of.name, acts_on(one.of)]
        for case in cases:
            cells += [dollars(case.parts[index].alone_usd), dollars(case.parts[index].part_usd)]
        rows.append(cells)
    saved: list[Any] = ["together", None]
    for case in cases:
        saved += [None, dollars(case.before_usd - case.after_usd)]
    rows.append(saved)
    click.echo()
    if combined.exact:
        columns = ["optimisation", "acts on", "alone", "its part"]
    else:
        columns = ["optimisation", "acts on", "alone (most)", "its part (most)", "alone (least)", "its part (least)"]
    print_table(columns, rows, optional=("alone", "alone (least)", "alone (most)"))
    for case in cases:
        summed = sum([one.alone_usd for one in case.parts], Fraction(0))
        double = summed - (case.before_usd - case.after_usd)
        which = "" if combined.exact else "Most saved: " if case is combined.low else "Least saved: "
        click.echo(
            f"{which}{dollars(case.before_usd)} becomes {dollars(case.after_usd)} a month, {percent(case.saving)} less."
            + (f" Adding up what each saves alone would count {dollars(double)} twice." if double > 0 else "")
        )


def acts_on(one: Optimisation) -> str:
    if one.saves is not None:
        said = f"the bill: {percent_span(one.saves)} less, as stated"
    elif one.kind == "prompt_cache":
        written = f"{percent_span(one.write_share)} written" if one.write_share.high else "writes not counted"
        said = f"input: {percent_span(one.share)} read, {written}"
    elif one.kind == "batch":
        said = f"calls: {percent_span(one.share)}, at {percent(one.discount)} off"
    else:
        said = f"calls: {percent_span(one.share)}"
    return f"{said}; {', '.join(one.tasks)} only" if one.tasks else said


def _pipeline(cost: PipelineCost) -> None:
    rows: list[Sequence[Any]] = [
        (
            one.step.call.task,
            one.step.call.model,
            count_span(one.step.call.calls),
            percent_span(one.step.when),
            *_tokens(one.step.call),
            dollars_span(one.usd_per_call),
            dollars_span(one.usd_per_task),
        )
        for one in cost.steps
    ]
    rows.append(("total", None, None, None, None, None, None, dollars_span(cost.usd_per_task)))
    columns = ("step", "model", "times", "of tasks", "in", "out", "per call", "per task")
    print_table(*_without_empty(columns, rows), title=cost.pipeline.name, optional=("in", "out"))
    if cost.pipeline.tasks is not None:
        click.echo(f"{count_span(cost.pipeline.tasks)} tasks a month: {dollars_span(cost.usd)}.")


def _agents(costs: Sequence[AgentCost], bill: PlanBill) -> None:
    rows: list[Sequence[Any]] = [
        (
            one.agent.check.task,
            one.agent.check.model,
            count_span(one.agent.check.calls),
            *_tokens(one.agent.check),
            dollars_span(one.usd_per_check),
            dollars_span(one.usd),
        )
        for one in costs
    ]
    if len(rows) > 1:
        rows.append(("total", None, None, None, None, None, dollars_span(bill.agents_usd)))
    columns = ("agent", "model", "checks a day", "in", "out", "per check", "a month")
    print_table(*_without_empty(columns, rows), optional=("in", "out"))
    click.echo(f"A month has {number_text(bill.plan.days)} days.")


def _without_empty(columns: Sequence[str], rows: list[Sequence[Any]]) -> tuple[list[str], list[list[Any]]]:
    """Columns that no row has anything for say nothing."""
    kept = [index for index in range(len(columns)) if any(row[index] is not None for row in rows)]
    return [columns[index] for index in kept], [[row[index] for index in kept] for row in rows]


def _prices(prices: Sequence[ModelPrice], prices_at: str | None) -> None:
    said = [
        f"{one.model} {dollars(one.input) or '?'} in, {dollars(one.output) or '?'} out"
        + (f" at {one.provider}" if one.provider else "")
        for one in prices
    ]
    if said:
        when = f" of {prices_at}" if prices_at else ""
        click.echo(f"\nPrices{when} per million tokens: {'; '.join(said)}.")
