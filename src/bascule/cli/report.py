"""`bascule report`: spend, tokens, errors, latency, cache share and saving, in total and by group."""

import sys
from pathlib import Path
from typing import Any

import click
import orjson

from bascule.cli.data import open_existing, read_document
from bascule.cli.output import config_option, print_table, usd_fit, write_text
from bascule.cli.period import Period, iso, period_options
from bascule.cli.progress import track
from bascule.cli.render import csv_text, html_page, markdown_table
from bascule.model.row import RowFilter
from bascule.offline.dimensions import NAMES, Dimension, dimension
from bascule.offline.payload import figures_payload, report_payload
from bascule.offline.report import Figures, Report, report
from bascule.offline.sums import Sums

COLUMNS = (
    "requests", "attempts", "cost", "share", "in", "cached", "out", "errors", "retries", "p50", "p95", "ttft",
    "per request", "per session", "spread", "saved",
)  # fmt: skip
OPTIONAL = (
    "spread", "ttft", "per session", "retries", "p50", "share", "attempts", "p95", "per request", "cached", "errors",
)  # fmt: skip
"""What a narrow terminal does without, the first of them first."""


@click.command("report")
@config_option
@click.option(
    "--by",
    "by_names",
    multiple=True,
    metavar="NAME",
    help=f"Break down by this; repeatable. One of {', '.join(NAMES)}.",
)
@period_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "md", "html"]),
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
    form: str,
    as_json: bool,
    out_path: Path | None,
) -> None:
    """What was spent, on what, and how well it went.

    Sums are exact and add up to the ledger. Latency is per attempt that ended well; medians and percentiles are
    values that occurred. `spread` is p90 over p10 of what sessions cost.
    """
    by = _dimensions(by_names)
    store = open_existing(read_document(config_path))
    where = RowFilter(since_ms=period.since_ms, until_ms=period.until_ms)
    made = report(track(store.view.attempts(where, by_request=True), "reading the ledger"), by)
    form = "json" if as_json else form
    if form == "table" and out_path is None:
        print_table([*made.by, *COLUMNS], _lines(made), optional=OPTIONAL)
        for note in notes(made.total.sums):
            click.echo(note)
        return
    text = _text(made, period, "md" if form == "table" else form)
    if out_path is None:
        sys.stdout.write(text)
    else:
        write_text(out_path, text)


def _dimensions(names: tuple[str, ...]) -> list[Dimension]:
    try:
        return [dimension(name) for name in dict.fromkeys(names)]
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--by") from None


def _text(made: Report, period: Period, form: str) -> str:
    if form == "json":
        document = {"since": iso(period.since_ms), "until": iso(period.until_ms), **report_payload(made)}
        return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n"
    if form == "csv":
        return _csv(made)
    columns = [*made.by, *COLUMNS]
    if form == "html":
        return html_page("Bascule report", columns, _lines(made), notes(made.total.sums))
    said = "".join([f"\n{note}\n" for note in notes(made.total.sums)])
    return markdown_table(columns, _lines(made)) + said


def _csv(made: Report) -> str:
    """Groups alone, so that a column can be summed; without `--by` the total."""
    document = report_payload(made)
    rows = document["groups"] if made.by else [document["total"]]
    columns = [*made.by, *figures_payload(made.total, None)]
    return csv_text(rows, columns)


def _lines(made: Report) -> list[list[Any]]:
    total_cost = made.total.sums.cost_nanousd
    lines = [[*group.values, *_cells(group.figures, total_cost)] for group in made.groups]
    if made.by:
        blank = [None] * (len(made.by) - 1)
        lines.append(["total", *blank, *_cells(made.total, total_cost)])
    else:
        lines.append(_cells(made.total, total_cost))
    return lines


def _cells(figures: Figures, total_cost: int | None) -> list[Any]:
    shown = figures_payload(figures, total_cost)
    sums = figures.sums
    cost = usd_fit(sums.cost_nanousd)
    return [
        sums.requests,
        sums.attempts,
        f"{cost or '?'} + {sums.unpriced_attempts} unpriced" if sums.unpriced_attempts else cost,
        percent(shown["cost_share"]),
        sums.billed_input,
        percent(shown["prompt_cache_share"]),
        (sums.tokens_out or 0) + (sums.tokens_reasoning or 0),
        percent(shown["request_error_share"]),
        sums.retries,
        seconds(figures.latency_p50_ms),
        seconds(figures.latency_p95_ms),
        seconds(figures.ttft_p50_ms),
        usd_fit(figures.request_cost_p50_nanousd),
        usd_fit(figures.session_cost.p50_nanousd),
        None if figures.session_cost.p90_over_p10 is None else f"{figures.session_cost.p90_over_p10:.1f}x",
        usd_fit(sums.saved_nanousd),
    ]


def notes(sums: Sums) -> list[str]:
    """What a reader must know about the sums."""
    said = []
    if sums.unpriced_attempts:
        said.append(f"Attempts without a known price, in no cost: {sums.unpriced_attempts}.")
    if sums.estimated_attempts and sums.cost_nanousd:
        part = percent(round(sums.estimated_nanousd / sums.cost_nanousd, 6))
        said.append(
            f"{usd_fit(sums.estimated_nanousd)} ({part}) of the cost is estimated, where no usage was reported "
            f"(attempts: {sums.estimated_attempts})."
        )
    if sums.open_attempts:
        said.append(f"Attempts still open: {sums.open_attempts}, holding {usd_fit(sums.held_nanousd)}.")
    if sums.cache_hits:
        said.append(f"Answers from the cache: {sums.cache_hits}.")
    if sums.saved_nanousd is None and sums.attempts:
        said.append("No saving is known: set `baseline: {model: …}` to measure against.")
    return said


def percent(part: float | None) -> str | None:
    return None if part is None else f"{part * 100:.1f} %"


def seconds(ms: int | None) -> str | None:
    return None if ms is None else f"{ms / 1000:.2f} s"
