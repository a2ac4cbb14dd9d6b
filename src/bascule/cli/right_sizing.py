"""`bascule report --right-sizing`: premium spend that a cheaper model could be tried for."""

import sys
from pathlib import Path
from typing import Any

import click
import orjson

from bascule.cli.data import read_names
from bascule.cli.output import print_table, usd_fit, write_out
from bascule.cli.page import Grid, Section, page
from bascule.cli.period import Period, iso, now_ms
from bascule.cli.price_lists import current_book, optional_document
from bascule.cli.render import csv_text, markdown_table
from bascule.model.row import RowFilter
from bascule.offline.catalog import Line, book_lines, configured_lines
from bascule.offline.percentile import share
from bascule.offline.right_sizing import (
    BY,
    PLAUSIBLE,
    Candidate,
    RightSizing,
    right_sizing,
    right_sizing_payload,
    short_means,
)
from bascule.ports import Analytics

SHOWN = 20
COLUMNS = ("task", "premium model", "provider", "cost", "requests", "could be tried: how many times cheaper")

WORDS = frozenset({"task", "premium model", "provider", COLUMNS[-1]})


def right_size(
    analytics: Analytics, where: RowFilter, period: Period, form: str, out_path: Path | None, config_path: str | None
) -> None:
    """Print the questions, in one of the forms of reports."""
    made = right_sizing(analytics.cells(BY, where, rates=True, distinct=False), _offers(config_path))
    if form == "table" and out_path is None:
        for note in _findings(made):
            click.echo(note)
        if made.questions:
            click.echo()
            print_table(COLUMNS, _lines(made)[:SHOWN])
            if len(made.questions) > SHOWN:
                click.echo(f"{len(made.questions) - SHOWN:,} more questions; --json has all.")
            if not all(one.candidates for one in made.questions[:SHOWN]):
                click.echo("-: no cheaper model is configured or known of that provider; see `bascule models --all`.")
            click.echo()
        for note in _limits():
            click.echo(note)
        return
    text = _text(made, period, "md" if form == "table" else form)
    if out_path is None:
        sys.stdout.write(text)
    else:
        write_out(out_path, text)


def _offers(config_path: str | None) -> list[Candidate]:
    at_ms = now_ms()
    document = optional_document(config_path)
    lines: list[Line] = []
    if document is not None and document.config.providers:  # a file may name a data directory and nothing else
        snapshot = read_names(config_path)
        lines = [] if snapshot is None else list(configured_lines(snapshot, at_ms, None))
    catalog = book_lines(current_book(document), at_ms)
    return [*[_candidate(line, True) for line in lines if line.rates is not None],
            *[_candidate(line, False) for line in catalog if _on_offer(line)]]  # fmt: skip


def _on_offer(line: Line) -> bool:
    return line.rates is not None and not line.deprecated and line.retires is None and not line.free


def _candidate(line: Line, configured: bool) -> Candidate:
    assert line.rates is not None
    return Candidate(model=line.model, provider=line.provider, rates=line.rates, configured=configured)


def _text(made: RightSizing, period: Period, form: str) -> str:
    document = right_sizing_payload(made)
    if form == "json":
        edges = {"since": iso(period.since_ms), "until": iso(period.until_ms)}
        return orjson.dumps({**edges, **document}, option=orjson.OPT_INDENT_2).decode() + "\n"
    if form == "csv":
        rows = [{**one, "candidates": _tried(one["candidates"])} for one in document["questions"]]
        return csv_text(rows, ("task", "provider", "model", "cost_usd", "requests", "candidates"))
    findings, limits = _findings(made), _limits()
    notes = [*findings, *limits]
    if form == "html":
        grid = Grid(COLUMNS, tuple([tuple(line) for line in _lines(made)]), text=WORDS)
        section = Section(heading="Questions", grid=grid, notes=(*findings[1:], *limits[1:]))
        return page("Models to try", f"{findings[0]} {limits[0]}", (), [section])
    return markdown_table(COLUMNS, _lines(made)) + "".join([f"\n{note}\n" for note in notes])


def _lines(made: RightSizing) -> list[list[Any]]:
    shown = right_sizing_payload(made)["questions"]
    return [
        [
            one.task or "(unknown, short)",
            one.model,
            one.provider,
            usd_fit(one.cost_nanousd),
            f"{one.requests:,}",
            _tried(payload["candidates"]) or None,
        ]
        for one, payload in zip(made.questions, shown, strict=True)
    ]


def _tried(candidates: list[dict[str, Any]]) -> str:
    return ", ".join([f"{one['model']} {one['price_ratio']:g}x" for one in candidates])


def _findings(made: RightSizing) -> list[str]:
    def part(nanousd: int) -> str:
        found = share(nanousd, made.cost_nanousd)
        return f"{usd_fit(nanousd)}{'' if found is None else f' ({found * 100:.1f} % of the bill)'}"

    said = [
        f"On premium models: {part(made.premium_nanousd)}.",
        f"Of that for classes of work at which cheaper models are plausible: {part(made.plausible_nanousd)}; "
        f"short requests of unknown class: {part(made.short_nanousd)}.",
    ]
    if made.unknown_market_nanousd or made.unpriced_attempts:
        said.append(
            f"Market unknown: {part(made.unknown_market_nanousd)}, and attempts without a price: "
            f"{made.unpriced_attempts}."
        )
    return said


def _limits() -> list[str]:
    return [
        "Each line is a question to test, not a saving: nothing here knows how good the answers were or would be.",
        f"Plausible classes, a stated list: {', '.join(PLAUSIBLE)}. Short: {short_means()}.",
    ]
