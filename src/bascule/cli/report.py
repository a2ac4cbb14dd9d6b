"""`bascule report`: spend, tokens, errors, latency, cache share and saving, in total and by group."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import click
import orjson

from bascule.cli.bridging import bridge_report
from bascule.cli.charging import RULES, charge
from bascule.cli.data import open_existing, read_document
from bascule.cli.output import config_option, print_table, usd_fit, write_out
from bascule.cli.paying import Paying, fixed_rows, paid_columns, paid_notes, paying, with_paid_keys
from bascule.cli.period import Period, iso, month_option, period_options
from bascule.cli.render import csv_text, markdown_table
from bascule.cli.report_page import BARS, Broken, report_page, report_picture
from bascule.cli.report_words import COLUMNS, HOW_TO_CHOOSE, OPTIONAL, days, header, lines_of, notes, summed_notes
from bascule.cli.right_sizing import right_size
from bascule.config.shape import Contract
from bascule.model.report import SAME, Report, Sort, Terms
from bascule.model.row import RowFilter
from bascule.model.sums import Sums
from bascule.offline.dimensions import NAMES, dimension_names
from bascule.offline.fates import with_fates
from bascule.offline.paid import needed
from bascule.offline.paid_payload import PAID_KEYS
from bascule.offline.payload import figures_payload, report_payload
from bascule.offline.summed_rows import with_requests
from bascule.ports import Analytics

SHOWN = 40
"""Groups in a table where nobody says how many."""
MOST = 10_000
"""Groups in a document where nobody says how many: more would not fit into memory for every question."""
SORTS = ("cost", "requests", "tokens", "saved", "failures", "name")


@click.command("report")
@config_option
@click.option(
    "--by",
    "by_names",
    multiple=True,
    metavar="NAME",
    help=f"Break down by this; repeatable, or several with commas. One of {', '.join(NAMES)}.",
)
@period_options
@month_option
@click.option("--sort", type=click.Choice(SORTS), default="cost", show_default=True, help="Which groups come first.")
@click.option(
    "--top",
    type=click.IntRange(min=1, max=100_000),
    metavar="N",
    help=f"The first N groups; {SHOWN} in a table and {MOST:,} elsewhere where nobody says. The total is of all.",
)
@click.option(
    "--same",
    "same_names",
    multiple=True,
    metavar="NAMES",
    help=f"What runs have in common that `spread` compares.  [default: {','.join(SAME)}]",
)
@click.option(
    "--department",
    "departments",
    multiple=True,
    metavar="PROJECT=NAME",
    help="A project's department, for what has no tag `department`; repeatable.",
)
@click.option(
    "--showback", metavar="NAME", help="Each one's own cost, by team, department, project …; nothing is split."
)
@click.option("--chargeback", metavar="NAME", help="As --showback, with what is nobody's or shared split by --shared.")
@click.option(
    "--shared",
    "rule",
    type=click.Choice(RULES),
    default="spend",
    show_default=True,
    help="How --chargeback splits it: evenly, in proportion to own spend, requests or tokens, or not at all.",
)
@click.option(
    "--origin",
    metavar="NAME",
    help="Only what this has recorded: gateway, or the source of an import. Bills and reports that restate other rows "
    "(openai-costs, …) are shown by name alone.",
)
@click.option(
    "--bridge",
    nargs=2,
    metavar="BEFORE AFTER",
    help="Split the change between two periods by its causes, to the cent: 2026-09 2026-10, or FROM..TO.",
)
@click.option(
    "--cost",
    "cost_is",
    type=click.Choice(["list", "effective"]),
    default="list",
    show_default=True,
    help="Which bills --bridge compares: at list price, or what is really paid, by the configuration's contracts.",
)
@click.option("--right-sizing", is_flag=True, help="Spend on premium models that a cheaper one could be tried for.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "md", "html", "svg", "png"]),
    default="table",
    show_default=True,
    help="How to write it.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--out", "out_path", type=click.Path(dir_okay=False, path_type=Path), help="Write there.")
def command(
    config_path: str | None,
    by_names: tuple[str, ...],
    period: Period,
    sort: str,
    top: int | None,
    same_names: tuple[str, ...],
    departments: tuple[str, ...],
    showback: str | None,
    chargeback: str | None,
    rule: str,
    origin: str | None,
    bridge: tuple[str, str] | None,
    cost_is: str,
    right_sizing: bool,
    form: str,
    as_json: bool,
    out_path: Path | None,
) -> None:
    """What was spent, on what, and how well it went.

    Sums are exact and add up to the ledger. Latency is per attempt that ended well; medians and percentiles are
    values that occurred. `failed` is what failed attempts cost, `retried` what other retries cost, so they add up;
    `saved` is net of every retry, judge, verifier and shadow. `spread` is p90 over p10 of what runs of the same
    work cost (--same), each over the median of its work. Markets go by the blended price of a million tokens (three
    parts input, one part output): commodity below 1 USD, mid below 10 USD, premium from there. Where the
    configuration has contracts, `effective` is what is really paid and adds up to it with idle lines, `marginal` what
    one more of the same would cost; --chargeback then splits what is paid.
    """
    by, terms = _names(by_names, "--by"), _terms(same_names, departments)
    form = "json" if as_json else form
    if sum([bool(by), showback is not None, chargeback is not None, bridge is not None, right_sizing]) > 1:
        raise click.UsageError(
            "--by, --showback, --chargeback, --bridge and --right-sizing are different reports; ask for one"
        )
    if form in ("svg", "png") and (chargeback or showback or right_sizing):
        raise click.UsageError("pictures are drawn of --by, --bridge and of days; take --format html or another")
    if bridge is not None and period != Period():
        raise click.UsageError("--bridge names its two periods itself; leave --month, --since and --until out")
    if cost_is == "effective" and bridge is None:
        raise click.UsageError("--cost is for --bridge; other reports show list and effective cost side by side")
    if cost_is == "effective" and origin is not None:
        raise click.UsageError("what contracts come to depends on all use: leave --origin out, or --cost effective")
    document = read_document(config_path)
    # What contracts come to depends on all use: of a part of it nothing can be said.
    store, contracts = open_existing(document), () if origin is not None else document.config.contracts
    where = RowFilter(since_ms=period.since_ms, until_ms=period.until_ms, origin=origin)
    if bridge is not None:
        bridge_report(
            store.analytics,
            bridge,
            form,
            out_path,
            origin=origin,
            contracts=contracts if cost_is == "effective" else None,
        )
        return
    if right_sizing:
        right_size(store.analytics, where, period, form, out_path, config_path)
        return
    with store.analytics.held(
        where if origin is not None else needed(contracts, where.since_ms, where.until_ms)
    ) as held:
        owner = chargeback or showback
        whole = held if origin is None else store.analytics
        terms = with_fates(terms, (*by, owner or ""), whole, store.outcomes, where)
        if owner is not None:
            (name,) = _one(owner, "--chargeback" if chargeback else "--showback")
            split = rule if chargeback else "none"
            charge(held, where, period, name, split, terms, form, out_path, contracts)
            return
        shown = top or (SHOWN if form in ("table", "md", "html") else MOST)
        made = held.report(by, where, terms=terms, sort=cast(Sort, sort), top=shown)
        made = with_requests(made, held, where, terms)
        paid = None if origin is not None else paying(held, contracts, by, period, terms)
        if form == "table" and out_path is None:
            click.echo(header(period, made.total.sums, HOW_TO_CHOOSE))
            if made.total.sums.first_ms is None and (paid is None or not paid.report.fixed):
                click.echo(_nothing(store.analytics, origin))
                return
            print_table(_columns(made, paid), lines_of(made, paid), optional=OPTIONAL)
            for note in _said(made, paid):
                click.echo(note)
            return
        if form in ("svg", "png"):
            report_picture(held, made, where, form, out_path)
            return
        if form == "html":
            broken = _breaking(held, where, period, terms, cast(Sort, sort), None if origin is not None else contracts)
            text = _page(held, store.analytics, made, paid, where, period, terms, broken)
        else:
            text = _text(made, paid, period, "md" if form == "table" else form)
        if out_path is None:
            sys.stdout.write(text)
        else:
            write_out(out_path, text)
        if form == "csv":
            for note in _left_out(made):
                click.echo(note, err=True)


def _names(given: tuple[str, ...], option: str) -> tuple[str, ...]:
    try:
        return dimension_names(given)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None


def _nothing(analytics: Analytics, origin: str | None) -> str:
    """What there is instead, where a period has nothing."""
    whole = analytics.cells((), RowFilter(origin=origin), distinct=False)
    sums = whole[0].sums if whole else Sums()
    who = f" by {origin}" if origin is not None else ""
    if sums.first_ms is None:
        return f"Nothing is recorded{who} at all."
    return f"Nothing is recorded{who} in this period, only {days(sums)}: choose with --month, --since, --until."


def _one(given: str, option: str) -> tuple[str, ...]:
    names = _names((given,), option)
    if len(names) != 1:
        raise click.BadParameter("cost goes to one kind of owner: name one", param_hint=option)
    return names


def _terms(same: tuple[str, ...], departments: tuple[str, ...]) -> Terms:
    pairs = []
    for given in departments:
        project, found, department = given.partition("=")
        if not (found and project and department):
            raise click.BadParameter(f"{given!r} is not PROJECT=NAME", param_hint="--department")
        pairs.append((project, department))
    return Terms(same=_names(same, "--same") or SAME, departments=tuple(pairs))


def _said(made: Report, paid: Paying | None) -> list[str]:
    told = [] if paid is None else paid_notes(paid)
    return [*_left_out(made), *told, *notes(made.total.sums), *summed_notes(made.total), *_spread_note(made)]


def _columns(made: Report, paid: Paying | None) -> list[str]:
    return [*made.by, *(COLUMNS if paid is None else paid_columns(COLUMNS))]


def _text(made: Report, paid: Paying | None, period: Period, form: str) -> str:
    if form == "json":
        sums = made.total.sums
        edges = {"since": iso(period.since_ms), "until": iso(period.until_ms)}
        recorded = {"first": iso(sums.first_ms), "last": iso(sums.last_ms)}
        return orjson.dumps({**edges, **recorded, **_payload(made, paid)}, option=orjson.OPT_INDENT_2).decode() + "\n"
    if form == "csv":
        return _csv(made, paid)
    columns, lines, said = (
        _columns(made, paid),
        lines_of(made, paid),
        [header(period, made.total.sums), *_said(made, paid)],
    )
    return markdown_table(columns, lines) + "".join([f"\n{note}\n" for note in said])


def _payload(made: Report, paid: Paying | None) -> dict[str, Any]:
    document = report_payload(made)
    return document if paid is None else with_paid_keys(paid, made, document)


def _page(
    analytics: Analytics,
    whole: Analytics,
    made: Report,
    paid: Paying | None,
    where: RowFilter,
    period: Period,
    terms: Terms,
    broken: Callable[[str], Broken],
) -> str:
    return report_page(
        analytics,
        made,
        where,
        period,
        terms,
        earlier=whole,
        heading=header(period, made.total.sums),
        columns=_columns(made, paid),
        lines=lines_of(made, paid),
        notes=_said(made, paid),
        by=broken,
    )


def _breaking(
    analytics: Analytics,
    where: RowFilter,
    period: Period,
    terms: Terms,
    sort: Sort,
    contracts: tuple[Contract, ...] | None,
) -> Callable[[str], Broken]:
    """The same report by one dimension; without `contracts` nothing can be said of what is paid."""

    def broken(name: str) -> Broken:
        made = with_requests(
            analytics.report((name,), where, terms=terms, sort=sort, top=BARS), analytics, where, terms
        )
        paid = None if contracts is None else paying(analytics, contracts, (name,), period, terms)
        return Broken(made, _columns(made, paid), lines_of(made, paid), _left_out(made))

    return broken


def _csv(made: Report, paid: Paying | None) -> str:
    """Groups alone, so that a column can be summed; without `--by` the total. Where contracts say what is paid, also
    what was paid for nothing."""
    document = _payload(made, paid)
    rows = document["groups"] if made.by else [document["total"]]
    columns = [*made.by, *figures_payload(made.total, None)]
    if paid is not None:
        rows, columns = [*rows, *fixed_rows(paid, made)], [*columns, *PAID_KEYS]
    return csv_text(rows, columns)


def _left_out(made: Report) -> list[str]:
    left = made.groups_total - len(made.groups)
    if left <= 0:
        return []
    shown = sum(group.figures.sums.cost_nanousd or 0 for group in made.groups)
    rest = (made.total.sums.cost_nanousd or 0) - shown
    return [f"{left:,} more groups with {usd_fit(rest)} are in the total; see --top and --sort."]


def _spread_note(made: Report) -> list[str]:
    if not made.total.run_cost.compared_runs:
        return []
    return [f"spread: runs of the same {', '.join(made.same)} ({made.total.run_cost.compared_runs:,} compared)."]
