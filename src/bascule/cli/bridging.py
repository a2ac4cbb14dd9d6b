"""`report --bridge`: why one period's bill differs from another's, as a waterfall and a table, in every form."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import orjson

from bascule.cli.contract_words import money
from bascule.cli.drawing import svg, write_picture
from bascule.cli.output import print_table, write_out
from bascule.cli.page import Grid, Section, Tile, page
from bascule.cli.period import named_span, now_ms
from bascule.cli.render import csv_text, markdown_table
from bascule.config.shape import Contract
from bascule.model.row import RowFilter
from bascule.offline.bridge import Bridge, bridge
from bascule.offline.bridge_paid import BY, charged_by
from bascule.offline.bridge_payload import MEANING, bridge_payload, in_cents, known_bills, known_parts, method
from bascule.offline.charts import Spec, waterfall
from bascule.offline.paid import needed, paid_report
from bascule.ports import Analytics

WIDTH = 36
"""Columns of the waterfall on a terminal."""

UNEVEN = 0.05
"""How much the shares of attempts without a user or a session may differ unmentioned."""

COLUMNS = ("", "usd", "of change", "before", "after", "waterfall")


def bridge_report(
    analytics: Analytics,
    names: tuple[str, str],
    form: str,
    out_path: Path | None,
    *,
    origin: str | None = None,
    contracts: Sequence[Contract] | None = None,
) -> None:
    """Write the bridge from the period called `names[0]` to the one called `names[1]`, at list price or, with
    `contracts`, of what is really paid."""
    before, after = names
    spans = [named_span(name, now_ms()) for name in names]
    if contracts is None:
        found = bridge_of(analytics, spans[0], spans[1], origin)
    else:
        found = paid_bridge(analytics, spans[0], spans[1], contracts)
    if form in ("svg", "png"):
        if None in known_bills(found):
            raise click.ClickException("of one of the two bills nothing is known, so the change cannot be drawn")
        write_picture(picture(found, before, after), form, out_path)
        return
    if form == "table" and out_path is None:
        if found.before.cells or found.after.cells or any(found.bills_nanousd):
            print_table(COLUMNS, lines(found, before, after), optional=("of change", "before", "after"))
        for note in said(found, before, after):
            click.echo(note)
        return
    text = _text(found, before, after, spans, form)
    if out_path is None:
        sys.stdout.write(text)
    else:
        write_out(out_path, text)


def bridge_of(
    analytics: Analytics, before: tuple[int, int], after: tuple[int, int], origin: str | None = None
) -> Bridge:
    """At list price between two periods, each [start, end) in milliseconds."""
    sides = [
        analytics.billed(RowFilter(since_ms=since, until_ms=until, origin=origin)) for since, until in (before, after)
    ]
    return bridge(sides[0], sides[1])


def paid_bridge(
    analytics: Analytics, before: tuple[int, int], after: tuple[int, int], contracts: Sequence[Contract]
) -> Bridge:
    """Of what is really paid, between two periods."""
    sides = []
    for since, until in (before, after):
        with analytics.held(needed(contracts, since, until)) as held:
            billed = held.billed(RowFilter(since_ms=since, until_ms=until))
            paid = paid_report(held.costs, contracts, BY, since_ms=since, until_ms=until, now_ms=now_ms())
            sides.append((billed, charged_by(paid)))
    return bridge(sides[0][0], sides[1][0], (sides[0][1], sides[1][1]))


def _text(found: Bridge, before: str, after: str, spans: Sequence[tuple[int, int]], form: str) -> str:
    document = bridge_payload(found, spans[0], spans[1])
    if form == "json":
        return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n"
    if form == "csv":
        return csv_text(document["parts"], ("cause", "usd", "share", "before", "after"))
    if form == "html":
        return page(
            f"From {before} to {after}", method(found), _tiles(found, before, after), [section(found, before, after)]
        )
    rows = [row[:-1] for row in lines(found, before, after)]
    return markdown_table(COLUMNS[:-1], rows) + "".join([f"\n{note}\n" for note in said(found, before, after)])


def _tiles(found: Bridge, before: str, after: str) -> list[Tile]:
    first, _, last = in_cents(found)
    bills = known_bills(found)
    ends = ["unknown" if bill is None else _usd(cents) for bill, cents in zip(bills, (first, last), strict=True)]
    change = "unknown" if None in bills else _signed(last - first)
    return [Tile(ends[0], f"{before}, USD"), Tile(ends[1], f"{after}, USD"), Tile(change, "change, USD")]


def section(found: Bridge, before: str, after: str) -> Section:
    """The bridge as part of a page. Raises NoCharts."""
    causes = [None, *[part.cause for part in found.parts], None]
    rows = [
        (*row[:-1], None if cause is None else MEANING[cause])
        for cause, row in zip(causes, lines(found, before, after), strict=True)
    ]
    return Section(
        heading=f"Why the bill changed from {before} to {after}",
        charts=() if None in known_bills(found) else (svg(picture(found, before, after)),),
        grid=Grid(("part", *COLUMNS[1:-1], "what it is"), tuple(rows), text=frozenset({"part", "what it is"})),
        notes=tuple(said(found, before, after)),
    )


def picture(found: Bridge, before: str, after: str) -> Spec:
    """The waterfall of cents, so that what is drawn sums as what is printed."""
    first, parts, last = in_cents(found)
    moved = [(_words(part.cause), cents / 100) for part, cents in zip(found.parts, parts, strict=True)]
    return waterfall((before, first / 100), moved, (after, last / 100), title=f"From {before} to {after}, USD")


def lines(found: Bridge, before: str, after: str) -> list[list[Any]]:
    """The first bill, every part and the second bill, in COLUMNS."""
    first, parts, last = in_cents(found)
    bars: list[str | None] = [*bars_of([first, *parts, last])]
    known = known_bills(found)
    ends = [None if bill is None else _usd(cents) for bill, cents in zip(known, (first, last), strict=True)]
    if None in known:  # nothing to draw: where a step would begin is not known
        bars = [None] * len(bars)
    rows: list[list[Any]] = [[before, ends[0], None, None, None, bars[0]]]
    for part, nanousd, cents, bar in zip(found.parts, known_parts(found), parts, bars[1:-1], strict=True):
        share = f"{100 * cents / (last - first):.1f}%" if cents and last != first and None not in known else None
        usd = None if nanousd is None else _signed(cents)
        rows.append([_words(part.cause), usd, share, _factor(part.before), _factor(part.after), bar])
    return [*rows, [after, ends[1], None, None, None, bars[-1]]]


def said(found: Bridge, before: str, after: str) -> list[str]:
    """What a reader must know about the parts."""
    if not (found.before.cells or found.after.cells or any(found.bills_nanousd)):
        return [f"Nothing is recorded for {before} and {after}."]
    first, _, last = in_cents(found)
    price = "of what is paid" if found.charged is not None else "at list price"
    change = "unknown" if None in known_bills(found) else f"{_signed(last - first)} USD"
    notes = [f"Change {change} {price}. {method(found)}.", *_said_of_contracts(found, before, after)]
    for name, side in ((before, found.before), (after, found.after)):
        if not side.cells:
            notes.append(f"Nothing is recorded for {name}.")
        elif side.unknown:
            notes.append(f"{side.unknown} attempts of {name} have an unknown cost, which is in neither bill.")
    for what, without in (("user or key", "without_user"), ("session", "without_session")):
        shares = [getattr(side, without) / side.attempts for side in (found.before, found.after) if side.attempts]
        if len(shares) == 2 and abs(shares[0] - shares[1]) > UNEVEN:
            notes.append(
                f"{100 * shares[0]:.0f} % of the attempts of {before} and {100 * shares[1]:.0f} % of {after} name no "
                f"{what}: part of what stands beside users, sessions and tokens per session is that."
            )
    return notes


def _said_of_contracts(found: Bridge, before: str, after: str) -> list[str]:
    if found.charged is None:
        return []
    lists = [None if side.is_unknown else side.cost_nanousd for side in (found.before, found.after)]
    notes = [
        f"At list price: {money(lists[0]) or 'unknown'} and {money(lists[1]) or 'unknown'}. "
        "Fees of seats and capacity count for the whole of each period."
    ]
    for name, charged in zip((before, after), found.charged, strict=True):
        if charged.on_plan_nanousd:
            notes.append(
                f"Use of {money(charged.on_plan_nanousd)} at list price in {name} was on a subscription that no "
                "contract names: its fee is in neither bill. Tell it under `contracts`."
            )
    return notes


def bars_of(steps: Sequence[int]) -> list[str]:
    """One bar a step: the first and last from zero, the others from where the last one ended."""
    edges = [0, steps[0]]
    for step in steps[1:-1]:
        edges.append(edges[-1] + step)
    low, high = min(edges), max(edges)
    scale = WIDTH / (high - low) if high > low else 0

    def bar(one: int, other: int, mark: str) -> str:
        start, end = sorted((round((one - low) * scale), round((other - low) * scale)))
        return " " * start + mark * max(end - start, 1)

    bars = [bar(0, steps[0], "█") if steps[0] else ""]
    for place, step in enumerate(steps[1:-1], start=1):
        bars.append(bar(edges[place], edges[place + 1], "▒" if step < 0 else "▓") if step else "")
    return [*bars, bar(0, steps[-1], "█") if steps[-1] else ""]


def _words(cause: str) -> str:
    return cause.replace("_", " ")


def _usd(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def _signed(cents: int) -> str:
    return f"+{_usd(cents)}" if cents > 0 else _usd(cents)


def _factor(value: Any) -> str | None:
    if value is None:
        return None
    return f"{value:,.0f}" if value >= 1000 else f"{float(value):.3g}"
