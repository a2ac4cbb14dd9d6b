"""`bascule unit`: cost and margin per customer, feature or plan."""

import sys
from functools import partial
from pathlib import Path
from typing import Any, cast

import click
import orjson

from bascule.cli.contract_words import counted, last_day, money, percent_of
from bascule.cli.data import open_existing, read_document
from bascule.cli.output import config_option, print_table, write_out
from bascule.cli.period import Period, iso_day, month_option, now_ms, period_options
from bascule.cli.render import csv_text, markdown_table
from bascule.model.row import RowFilter
from bascule.offline.chargeback import MEANINGS, RULES, Rule
from bascule.offline.paid import PaidReport, needed, paid_report
from bascule.offline.plan import read_text
from bascule.offline.revenue import Revenue, read_revenue
from bascule.offline.unit import CUSTOMERS_PLANS, NAMES, Kind, Unit, Units, kind_of, plans_of, unit_cells, units_of
from bascule.offline.unit_payload import UNIT_KEYS, unit_keys, units_payload
from bascule.ports import Analytics

COLUMNS = (
    "requests", "sessions", "list", "cost", "shared", "per request", "per session", "revenue", "margin", "margin %",
)  # fmt: skip
OPTIONAL = ("sessions", "list", "per session", "requests")
SHOWN = 40


@click.command("unit")
@config_option
@click.option("--by", "name", default="customer", show_default=True, metavar="NAME",
              help=f"What a unit is: {', '.join(NAMES)}.")  # fmt: skip
@period_options
@month_option
@click.option("--revenue", "revenue_path", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="What units bring in: CSV or YAML with unit or plan, usd and month or usd_per_month.")  # fmt: skip
@click.option("--unlisted-free", is_flag=True, help="Units that the file does not name pay nothing.")
@click.option("--shared", "rule", type=click.Choice(RULES), default="none", show_default=True,
              help="How cost without a unit is spread over units; the rules of `report --chargeback`.")  # fmt: skip
@click.option("--top", type=click.IntRange(min=1), metavar="N", help=f"The first N units; {SHOWN} in a table.")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv", "md"]), default="table",
              show_default=True, help="How to write it.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--out", "out_path", type=click.Path(dir_okay=False, path_type=Path), help="Write there.")
def command(
    config_path: str | None,
    name: str,
    period: Period,
    revenue_path: Path | None,
    unlisted_free: bool,
    rule: str,
    top: int | None,
    form: str,
    as_json: bool,
    out_path: Path | None,
) -> None:
    """What each customer, feature or plan costs, and what it leaves of its revenue.

    Units that lose money come first. Cost is the effective one where the configuration has contracts. What belongs
    to no unit is shown apart, unless --shared names a rule to spread it by. A revenue that the file does not tell is
    unknown, and so is the margin; a free tier is what is told to bring in 0.
    """
    try:
        kind = kind_of(name)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--by") from None
    if unlisted_free and revenue_path is None:
        raise click.UsageError("--unlisted-free says something of those whom --revenue does not name: give the file")
    revenue = None if revenue_path is None else read_revenue(read_text(revenue_path), str(revenue_path))
    if revenue is not None and revenue.plans and not (kind.has_plans or kind.name == "plan"):
        raise click.UsageError(f"the revenue file has prices of plans, which say nothing of a {kind.name}")
    document = read_document(config_path)
    contracts, since_ms, until_ms = document.config.contracts, period.since_ms, period.until_ms
    with open_existing(document).analytics.held(needed(contracts, since_ms, until_ms)) as analytics:
        report = paid_report(
            analytics.costs, contracts, kind.dimensions, since_ms=since_ms, until_ms=until_ms, now_ms=now_ms()
        )
        made = _units(analytics, kind, period, report, revenue, cast(Rule, rule), unlisted_free)
    form = "json" if as_json else form
    if form == "table" and out_path is None:
        _print(made, report, bool(contracts), top or SHOWN)
        return
    text = _text(made, report, bool(contracts), "md" if form == "table" else form, top)
    if out_path is None:
        sys.stdout.write(text)
    else:
        write_out(out_path, text)


def _units(
    analytics: Analytics,
    kind: Kind,
    period: Period,
    report: PaidReport,
    revenue: Revenue | None,
    rule: Rule,
    unlisted_free: bool,
) -> Units:
    where = RowFilter(since_ms=period.since_ms, until_ms=period.until_ms)
    ask = partial(analytics.cells, where=where)
    on_plans = revenue is not None and (bool(revenue.plans) or kind.name == "plan")
    plans = plans_of(ask(CUSTOMERS_PLANS)) if on_plans else {}
    found = unit_cells(ask, kind)
    return units_of(kind, found, report, revenue, plans=plans, rule=rule, unlisted_free=unlisted_free)


def _print(made: Units, report: PaidReport, has_contracts: bool, top: int) -> None:
    click.echo(_header(made, report))
    columns, lines = _table(made, has_contracts, top)
    print_table(columns, lines, optional=OPTIONAL)
    for note in _notes(made, report, top):
        click.echo(note)


def _text(made: Units, report: PaidReport, has_contracts: bool, form: str, top: int | None) -> str:
    if form == "json":
        return orjson.dumps(units_payload(made, report, top), option=orjson.OPT_INDENT_2).decode() + "\n"
    if form == "csv":
        return csv_text([unit_keys(unit) for unit in made.units[:top]], UNIT_KEYS)
    columns, lines = _table(made, has_contracts, top or SHOWN)
    said = [_header(made, report), *_notes(made, report, top or SHOWN)]
    return markdown_table(columns, lines) + "".join([f"\n{note}\n" for note in said])


def _header(made: Units, report: PaidReport) -> str:
    return (
        f"Units by {made.kind.name}: {made.kind.says}. From {iso_day(report.since_ms)} to {last_day(report.until_ms)}."
    )


def _table(made: Units, has_contracts: bool, top: int) -> tuple[list[str], list[list[Any]]]:
    """Columns that say something, and a line for each unit, for what is apart, and for all."""
    empty = set() if has_contracts else {"list"}
    if made.rule == "none":
        empty.add("shared")
    if made.free is None:
        empty |= {"revenue", "margin", "margin %"}
    kept = [index for index, name in enumerate(COLUMNS) if name not in empty]
    lines = [[unit.name, *_cells(unit)] for unit in made.units[:top]]
    apart = made.apart
    if made.apart_requests:
        lines.append(
            ["(no unit)", made.apart_requests, None, money(apart.list_nanousd), money(apart.effective_nanousd)]
        )
    if made.fixed_nanousd:
        lines.append(["(idle)", None, None, None, money(made.fixed_nanousd)])
    revenue = [unit.revenue_nanousd for unit in made.units if unit.revenue_nanousd is not None]
    whole = made.cost_nanousd + made.unsplit_nanousd
    known = whole or made.fixed_nanousd or not _unpriced(made)
    sold = money(sum(revenue)) if revenue else None
    lines.append(["total", None, None, None, money(whole) if known else "?", None, None, None, sold])
    width = len(COLUMNS) + 1
    padded = [[*line, *[None] * (width - len(line))] for line in lines]
    return [made.kind.name, *[COLUMNS[n] for n in kept]], [[line[0], *[line[n + 1] for n in kept]] for line in padded]


def _unpriced(made: Units) -> int:
    return made.apart.unpriced_attempts + sum([unit.unknown_attempts for unit in made.units])


def _cells(unit: Unit) -> list[Any]:
    cost = money(unit.cost_nanousd)
    margin, revenue = unit.margin_nanousd, unit.revenue_nanousd
    return [
        unit.requests,
        unit.sessions,
        money(unit.paid.list_nanousd),
        f"{cost or '?'} + {unit.unknown_attempts} unpriced" if unit.unknown_attempts else cost,
        money(unit.shared_nanousd),
        money(unit.cost_per_request),
        money(unit.cost_per_session),
        money(revenue),
        money(margin),
        None if margin is None or not revenue else f"{100 * margin / revenue:.1f} %",
    ]


def _notes(made: Units, report: PaidReport, top: int) -> list[str]:
    units = made.units
    said = []
    if len(units) > top:
        said.append(f"{len(units) - top:,} more units; --top N or --json has them.")
    if made.cost_p50_nanousd is not None:
        half, most = money(made.cost_p50_nanousd), money(made.cost_p90_nanousd)
        said.append(f"Half of the units cost {half} or less, nine in ten {most}.")
    below = [unit for unit in units if unit.is_below_zero and unit.revenue_nanousd]
    if below:
        lost = -sum([unit.margin_nanousd or 0 for unit in below])
        said.append(f"Below zero: {counted(len(below), 'paying unit')}, {money(lost)} more than they bring in.")
    said += _apart_notes(made)
    if made.free is not None:
        said += _revenue_notes(made)
    elif units:
        said.append("No margin is known: tell what units bring in with --revenue FILE.")
    return [*said, *report.warnings]


def _apart_notes(made: Units) -> list[str]:
    said = []
    apart = (made.apart.effective_nanousd or 0) + made.fixed_nanousd
    if apart:
        what = f"{money(made.apart.effective_nanousd or 0)} without a unit"
        if made.fixed_nanousd:
            what += f" and {money(made.fixed_nanousd)} for nothing that was used"
        said.append(f"Apart: {what}. Rule `{made.rule}`: {MEANINGS[made.rule]}.")
        if made.unsplit_nanousd and made.rule != "none":
            said.append("Nobody has a share by this rule, so nothing could be split.")
    unpriced = _unpriced(made)
    if unpriced:
        said.append(f"Attempts without a known price, in no cost: {unpriced}.")
    on_plan = made.apart.on_plan_nanousd + sum([unit.paid.on_plan_nanousd for unit in made.units])
    if on_plan:
        said.append(f"On a subscription that no contract names, in no cost: {money(on_plan)} at list price.")
    return said


def _revenue_notes(made: Units) -> list[str]:
    said, free, told = [], made.free, made.told
    if told:
        revenue = sum([unit.revenue_nanousd or 0 for unit in told])
        part = f", {100 * (made.margin_nanousd or 0) / revenue:.1f} %" if revenue else ""
        said.append(
            f"Margin of {counted(len(told), 'unit')} whose revenue is known: {money(made.margin_nanousd)} of "
            f"{money(revenue)}{part}."
        )
    unknown = [unit for unit in made.units if unit.revenue_nanousd is None]
    if unknown:
        cost = sum([unit.cost_nanousd or 0 for unit in unknown])
        said.append(
            f"Revenue unknown: {counted(len(unknown), 'unit')}, with {money(cost)} of cost. Add them to the file, "
            "or say --unlisted-free."
        )
    if free is not None and free.units:
        carried = ""
        if free.per_paying_unit_nanousd is not None:
            carried = (
                f"; {'each of ' if free.paying_units > 1 else ''}{counted(free.paying_units, 'paying unit')} carries "
                f"{money(free.per_paying_unit_nanousd)} of it ({percent_of(free.share_of_revenue)} of revenue)"
            )
        said.append(
            f"Free tier: {money(free.cost_nanousd)} for {counted(free.units, 'unit')}, "
            f"{percent_of(free.cost_share)} of the cost of all units, {money(free.per_unit_nanousd)} each{carried}."
        )
    return said
