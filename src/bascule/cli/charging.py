"""`bascule report --showback` and `--chargeback`: whose cost it is."""

import sys
from pathlib import Path
from typing import Any, cast

import click
import orjson

from bascule.cli.output import print_table, usd_fit, write_out
from bascule.cli.page import Grid, Section, page
from bascule.cli.paying import Paying, effective_cells, paid_notes, paying
from bascule.cli.period import Period, iso
from bascule.cli.render import csv_text, markdown_table
from bascule.cli.report_words import header
from bascule.config.shape import Contract
from bascule.model.report import Terms
from bascule.model.row import RowFilter
from bascule.offline.chargeback import (
    MEANINGS,
    RULES,
    SHARED_TAG,
    Chargeback,
    Rule,
    charge_back,
    chargeback_payload,
)
from bascule.offline.paid_payload import paid_payload
from bascule.offline.percentile import share
from bascule.ports import Analytics

__all__ = ["RULES", "charge"]

COLUMNS = ("own", "shared", "total", "share", "requests", "tokens")


def charge(
    analytics: Analytics,
    where: RowFilter,
    period: Period,
    by: str,
    rule: str,
    terms: Terms,
    form: str,
    out_path: Path | None,
    contracts: tuple[Contract, ...],
) -> None:
    """Print the bill by owner, in one of the forms of reports; with contracts what is paid, else list prices."""
    dimensions = [by, SHARED_TAG]
    cells = analytics.cells(dimensions, where, distinct=False, terms=terms)
    found = None if where.origin is not None else paying(analytics, contracts, dimensions, period, terms)
    made = charge_back(by, cells if found is None else effective_cells(found, cells), cast(Rule, rule))
    if form == "table" and out_path is None:
        print_table((by, *COLUMNS), _lines(made))
        for note in _notes(made, found):
            click.echo(note)
        return
    text = _text(made, found, period, "md" if form == "table" else form)
    if out_path is None:
        sys.stdout.write(text)
    else:
        write_out(out_path, text)


def _text(made: Chargeback, found: Paying | None, period: Period, form: str) -> str:
    document = chargeback_payload(made)
    document["cost_is"] = "list" if found is None else "effective"
    if found is not None:
        document["paid"] = paid_payload(found.report, found.contracts)
    if form == "json":
        edges = {"since": iso(period.since_ms), "until": iso(period.until_ms)}
        return orjson.dumps({**edges, **document}, option=orjson.OPT_INDENT_2).decode() + "\n"
    if form == "csv":
        rows = document["owners"]
        rows.append({"owner": "(not split)", "total_usd": document["unsplit_usd"]})
        return csv_text(rows, list(rows[0]))
    columns, notes = (made.by, *COLUMNS), _notes(made, found)
    if form == "html":
        return _page(made, header(period, made.total), columns, notes)
    return markdown_table(columns, _lines(made)) + "".join([f"\n{note}\n" for note in notes])


def _page(made: Chargeback, under: str, columns: tuple[str, ...], notes: list[str]) -> str:
    rows = tuple([tuple(line) for line in _lines(made)])
    grid = Grid(columns, rows, text=frozenset({made.by}))
    title = "Who used what" if made.rule == "none" else "Who pays what"
    return page(title, under, (), [Section(heading=f"By {made.by}", grid=grid, notes=tuple(notes))])


def _lines(made: Chargeback) -> list[list[Any]]:
    total = made.total.cost_nanousd or 0
    lines: list[list[Any]] = []
    for owner in made.owners:
        cost = owner.own.cost_nanousd
        part = usd_fit(owner.part_nanousd) if made.rule != "none" else None
        lines.append([owner.name, usd_fit(cost), part, usd_fit(owner.total_nanousd), _part(owner.total_nanousd, total),
                      f"{owner.own.requests:,}", f"{owner.own.tokens:,}"])  # fmt: skip
    if made.unsplit_nanousd:
        unsplit = made.unsplit_nanousd
        lines.append(["(shared)", None, None, usd_fit(unsplit), _part(unsplit, total), None, None])
    lines.append(
        ["total", None, None, usd_fit(made.total.cost_nanousd), _part(total, total), None, f"{made.total.tokens:,}"]
    )
    return lines


def _part(part: int, whole: int) -> str | None:
    found = share(part, whole)
    return None if found is None else f"{found * 100:.1f} %"


def _notes(made: Chargeback, found: Paying | None) -> list[str]:
    said = [f"Rule `{made.rule}`: {MEANINGS[made.rule]}."]
    if made.shared_nanousd:
        said.append(
            f"Shared: {usd_fit(made.shared_nanousd)}, of it {usd_fit(made.unowned.cost_nanousd or 0)} without a "
            f"{made.by} and {usd_fit(made.tagged.cost_nanousd or 0)} tagged shared=true."
        )
    if found is not None:
        said += paid_notes(found)
    if made.unsplit_nanousd and made.rule != "none":
        said.append("Nobody has a share by this rule, so nothing could be split.")
    if made.total.unpriced_attempts:
        said.append(f"Attempts without a known price, in no cost: {made.total.unpriced_attempts}.")
    return said
