"""A report's lines, and what its reader must know, in words: for tables, Markdown and pages."""

from typing import Any

from bascule.cli.output import usd_fit
from bascule.cli.paying import Paying, paid_lines
from bascule.cli.period import Period, iso, iso_day
from bascule.decide.window import DAY_MS
from bascule.model.report import Figures, Report
from bascule.model.sums import Sums
from bascule.offline.payload import figures_payload

COLUMNS = (
    "requests", "attempts", "cost", "unpriced", "share", "in", "cached", "out", "errors", "failed", "retried", "p50",
    "p95", "ttft", "p50 request", "p50 session", "spread", "saved",
)  # fmt: skip
OPTIONAL = (
    "ttft", "attempts", "unpriced", "p50", "p95", "retried", "failed", "p50 session", "spread", "p50 request",
    "errors", "cached",
)  # fmt: skip
"""What a narrow terminal does without, the first of them first."""


HOW_TO_CHOOSE = " (--month 2026-11, --since, --until choose)"


def header(period: Period, sums: Sums, hint: str = "") -> str:
    """Which period a report is of, in words; `hint` says how to choose one, to those who can."""
    if period.since_ms is None and period.until_ms is None:
        if sums.first_ms is None:
            return "Everything recorded: nothing yet."
        return f"Everything recorded, {days(sums)}{hint}."
    if _is_days(period) and period.until_ms is not None:
        return f"From {iso_day(period.since_ms)} to {iso_day(period.until_ms - 1)} (UTC)."
    ends = [
        f"from {iso(period.since_ms)}" if period.since_ms is not None else "",
        f"until {iso(period.until_ms)}" if period.until_ms is not None else "",
    ]
    said = " ".join([end for end in ends if end])
    return f"{said[:1].upper()}{said[1:]}."


def _is_days(period: Period) -> bool:
    return all(edge is not None and edge % DAY_MS == 0 for edge in (period.since_ms, period.until_ms))


def days(sums: Sums) -> str:
    """From the first day of some rows to their last."""
    first, last = iso_day(sums.first_ms), iso_day(sums.last_ms)
    return f"{first}" if first == last else f"{first} to {last}"


def lines_of(made: Report, paid: Paying | None) -> list[list[Any]]:
    """The groups, then the total, each in the columns of the dimensions and COLUMNS."""
    total_cost = made.total.sums.cost_nanousd
    lines = [[*group.values, *cells_of(group.figures, total_cost)] for group in made.groups]
    if made.by:
        blank = [None] * (len(made.by) - 1)
        lines.append(["total", *blank, *cells_of(made.total, total_cost)])
    else:
        lines.append(cells_of(made.total, total_cost))
    return lines if paid is None else paid_lines(paid, made, COLUMNS, lines)


def cells_of(figures: Figures, total_cost: int | None) -> list[Any]:
    """COLUMNS of one group; `total_cost` in nano-USD is what its share is of."""
    shown = figures_payload(figures, total_cost)
    sums = figures.sums
    spread = figures.run_cost.p90_over_p10
    return [
        requests_text(figures),
        f"{sums.attempts:,}",
        cost_cell(sums),
        f"{sums.unpriced_attempts:,}" if sums.unpriced_attempts else None,
        percent(shown["cost_share"]),
        f"{sums.billed_input:,}",
        percent(shown["prompt_cache_share"]),
        f"{(sums.tokens_out or 0) + (sums.tokens_reasoning or 0):,}",
        percent(shown["request_error_share"]),
        usd_fit(sums.failed_cost_nanousd) if sums.failed_attempts else None,
        usd_fit(sums.retry_cost_nanousd) if sums.retries else None,
        seconds(figures.latency_p50_ms),
        seconds(figures.latency_p95_ms),
        seconds(figures.ttft_p50_ms),
        usd_fit(figures.request_cost_p50_nanousd),
        usd_fit(figures.session_cost.p50_nanousd),
        None if spread is None else f"{spread:.1f}x",
        usd_fit(sums.saved_nanousd),
    ]


def requests_text(figures: Figures) -> str:
    """A count of which a part is unknown says so."""
    count = figures.sums.requests
    if not figures.uncounted_rows:
        return f"{count:,}"
    return f"≥ {count:,}" if count else "?"


def summed_notes(total: Figures) -> list[str]:
    """What rows that are sums of many requests leave unknown."""
    if not total.summed_rows:
        return []
    without = f", {total.uncounted_rows:,} of which do not tell how many" if total.uncounted_rows else ""
    return [
        f"Rows that sum up many requests, from providers' reports: {total.summed_rows:,}{without}. Where they are in a "
        "group nothing is known per request (see --origin)."
    ]


def cost_cell(sums: Sums) -> str | None:
    """A cost that says where it is not known at all; what a known one lacks stands beside it."""
    if sums.cost_nanousd is None and sums.unpriced_attempts:
        return f"? + {sums.unpriced_attempts} unpriced"
    return usd_fit(sums.cost_nanousd)


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
    if sums.helper_cost_nanousd:
        said.append(f"Judges, verifiers and shadows cost {usd_fit(sums.helper_cost_nanousd)}; the saving is net of it.")
    if sums.cache_hits:
        said.append(f"Answers from the cache: {sums.cache_hits}.")
    if sums.saved_nanousd is None and sums.attempts:
        said.append("No saving is known: set `baseline: {model: …}` in bascule.yaml to measure against.")
    return said


def percent(part: float | None) -> str | None:
    return None if part is None else f"{part * 100:.1f} %"


def seconds(ms: int | None) -> str | None:
    return None if ms is None else f"{ms / 1000:.2f} s"
