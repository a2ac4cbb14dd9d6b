"""What is really paid, in reports: effective and marginal cost beside the list price, where contracts say more."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from bascule.cli.contract_words import last_day, money
from bascule.cli.output import usd_fit
from bascule.cli.period import Period, iso_day, now_ms
from bascule.config.shape import Contract
from bascule.model.report import TERMS, Cell, Report, Terms
from bascule.model.row import RowFilter
from bascule.model.sums import Sums
from bascule.offline.paid import Paid, PaidReport, paid_report
from bascule.offline.paid_payload import paid_keys, paid_payload
from bascule.ports import Analytics

COLUMNS = ("effective", "marginal")


class Paying(Struct, frozen=True):
    """A report's other costs, and the contracts behind them."""

    report: PaidReport
    contracts: tuple[Contract, ...]


def paying(
    analytics: Analytics, contracts: tuple[Contract, ...], by: Sequence[str], period: Period, terms: Terms = TERMS
) -> Paying | None:
    """None where there is no contract and nothing was used on a plan: then the list price is all that is known."""
    since_ms, until_ms = period.since_ms, period.until_ms
    if not contracts and not analytics.on_plan(RowFilter(since_ms=since_ms, until_ms=until_ms)):
        return None
    made = paid_report(
        analytics.costs, contracts, by, since_ms=since_ms, until_ms=until_ms, now_ms=now_ms(), terms=terms
    )
    return Paying(made, contracts)


def paid_columns(columns: Sequence[str]) -> list[str]:
    """The columns of a report, its cost called `list`, and the two others beside it."""
    at = columns.index("cost")
    return [*columns[:at], "list", *COLUMNS, *columns[at + 1 :]]


def paid_lines(found: Paying, made: Report, columns: Sequence[str], lines: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """The lines of a report (its groups, then the total) with both costs, and what was paid for nothing before the
    total, so that `effective` adds up to what is paid."""
    at = len(made.by) + columns.index("cost") + 1
    report = found.report
    costs = [report.groups.get(group.values) for group in made.groups]
    shown = [[*line[:at], *_cells(paid), *line[at:]] for line, paid in zip(lines, costs, strict=False)]
    width = len(lines[-1]) + len(COLUMNS)
    if made.by:
        for line in report.fixed:
            row: list[Any] = [None] * width
            row[0], row[at] = f"({line.what}, {found.contracts[line.contract].provider})", usd_fit(line.nanousd)
            shown.append(row)
    total = list(lines[-1])
    paid = usd_fit(report.paid_nanousd) if report.fixed or report.total.effective_nanousd is not None else None
    shown.append([*total[:at], paid, usd_fit(report.total.marginal_nanousd), *total[at:]])
    return shown


def _cells(paid: Paid | None) -> list[Any]:
    if paid is None:
        return [None, None]
    effective = usd_fit(paid.effective_nanousd)
    if paid.on_plan_nanousd:
        effective = f"{effective} + plan" if effective is not None else "plan"
    return [effective, usd_fit(paid.marginal_nanousd)]


def paid_notes(found: Paying) -> list[str]:
    """What is paid and for what, and what is not known of it."""
    report = found.report
    total, said = report.total, []
    if found.contracts:
        said.append(
            f"Paid: {money(report.paid_nanousd)}{_use_words(total)}{_fixed_words(found)}. "
            f"Fees count from {iso_day(report.since_ms)} to {last_day(report.until_ms)}."
        )
        if total.marginal_nanousd is not None or total.unpriced_attempts:
            more = money(total.marginal_nanousd) or "unknown"
            said.append(f"`marginal` is what one more of the same costs: {more} in all.")
    if total.on_plan_nanousd:
        said.append(
            f"Use of {money(total.on_plan_nanousd)} at list price was on a subscription that no contract names "
            "(`plan`): what it costs is not known, and it is not billed as if metered. Tell its fee under `contracts`."
        )
    return [*said, *report.warnings]


def _use_words(total: Paid) -> str:
    """`, of it $236.00 for use whose list price is $260.00`."""
    listed = money(total.metered_list_nanousd) or "unknown"
    if total.effective_nanousd is None and total.unpriced_attempts:
        return f", without use whose list price is {listed}"
    return f", of it {money(total.effective_nanousd or 0)} for use whose list price is {listed}"


def _fixed_words(found: Paying) -> str:
    kinds: dict[str, int] = {}
    for line in found.report.fixed:
        kinds[line.what] = kinds.get(line.what, 0) + line.nanousd
    return "".join([f", {money(nanousd)} for {what}" for what, nanousd in kinds.items()])


def with_paid_keys(found: Paying, made: Report, document: dict[str, Any]) -> dict[str, Any]:
    """The document of a report with the keys of `paid_keys` in its total and groups, and `paid` for the whole."""
    groups = [
        {**shown, **paid_keys(found.report.groups.get(group.values))}
        for shown, group in zip(document["groups"], made.groups, strict=True)
    ]
    total = {**document["total"], **paid_keys(found.report.total)}
    return {**document, "total": total, "groups": groups, "paid": paid_payload(found.report, found.contracts)}


def fixed_rows(found: Paying, made: Report) -> list[dict[str, Any]]:
    """Rows of a CSV for what was paid for nothing, so that `effective_usd` adds up to what is paid."""
    document = paid_payload(found.report, found.contracts)
    return [
        {made.by[0]: f"({line['what']}, {line['provider']})", "effective_usd": line["usd"]}
        for line in (document["fixed"] if made.by else ())
    ]


def effective_cells(found: Paying, cells: Sequence[Cell]) -> list[Cell]:
    """Cells whose cost is the effective one, and one more for what was paid for nothing and so is nobody's.

    `cells` and the report are by the same dimensions. What is estimated is so of the list price, and left out.
    """
    made = []
    for cell in cells:
        paid = found.report.groups.get(cell.values)
        cost = None if paid is None else paid.effective_nanousd
        made.append(replace(cell, sums=replace(cell.sums, cost_nanousd=cost, estimated_nanousd=0)))
    if found.report.fixed:
        nobody = (None,) * len(found.report.by)
        made.append(Cell(values=nobody, sums=Sums(cost_nanousd=found.report.fixed_nanousd), users=0, sessions=0))
    return made
