"""What an import says when it is done."""

from typing import Any

import click

from bascule.cli.output import usd_fit
from bascule.cli.period import iso, iso_second
from bascule.model.money import usd_text
from bascule.offline.imports.lines import BadLine
from bascule.offline.imports.tally import MAX_BAD_LINES, Tally
from bascule.offline.percentile import share

SHOWN_BAD_LINES = 20
SHOWN_NAMES = 10


def payload(source: str, tally: Tally, *, dry_run: bool, unknown_columns: dict[str, int] | None) -> dict[str, Any]:
    """Stable keys. Shares are of the known cost, null where there is none."""
    unpriced = tally.known_estimated_nanousd is None
    made = {
        "source": source,
        "dry_run": dry_run,
        "files": tally.files,
        "files_older": tally.files_older,
        "lines": tally.lines,
        "rows": tally.rows,
        "rows_new": None if dry_run else tally.new,
        "rows_replaced": None if dry_run else tally.replaced,
        "rows_same": None if dry_run else tally.same,
        "copies": tally.copies,
        "outside_period": tally.outside,
        "through_gateway": tally.through_gateway,
        "account_rows_taken_over": tally.taken_over,
        "api_errors": tally.api_errors,
        "first": iso(tally.first_ms),
        "last": iso(tally.last_ms),
        "tokens": tally.tokens,
        "cost_usd": usd_text(tally.known_cost_nanousd),
        "estimated_rows": tally.estimated_rows,
        "estimated_usd": usd_text(tally.known_estimated_nanousd),
        "estimated_share": None if unpriced else share(tally.estimated_nanousd, tally.cost_nanousd),
        "estimate_adds_usd": usd_text(None if unpriced else tally.guessed_nanousd),
        "estimated_versions": tally.estimated_versions,
        "unknown_cost_rows": tally.unknown_rows,
        "unknown_prices": tally.unknown_prices,
        "unknown_counts": tally.unknown_counts,
        "bad_lines": tally.bad_lines,
        "bad_lines_named_at_most": MAX_BAD_LINES,
        "bad": [_bad(bad) for bad in tally.bad],
        "unreadable": [{"file": lost.file, "why": lost.why} for lost in tally.unreadable],
    }
    if unknown_columns is not None:
        made["unknown_columns"] = unknown_columns
    return made


HOW_TO_PRICE = (
    "Write one in bascule.yaml, in USD per million tokens, and import again: "
    "`models: {NAME: {price: {input: 1, output: 4}}}`."
)


def tell(source: str, tally: Tally, *, dry_run: bool, unknown_columns: dict[str, int] | None) -> None:
    """The summary for a person; what is wrong goes to standard error."""
    span = f", {iso_second(tally.first_ms)} to {iso_second(tally.last_ms)}" if tally.first_ms is not None else ""
    click.echo(f"{source}: {_calls(tally.rows)} in {tally.lines:,} lines of {_files(tally.files)}{span}")
    if dry_run:
        click.echo("A dry run: nothing was written.")
    else:
        click.echo(f"{tally.new:,} new, {tally.replaced:,} replaced, {tally.same:,} as they were")
    cost = usd_fit(tally.known_cost_nanousd)
    click.echo(f"{tally.tokens:,} tokens, {'cost unknown' if cost is None else f'{cost} at list price'}")
    for note in _notes(tally):
        click.echo(note)
    if unknown_columns:
        click.echo(f"Columns that say nothing to the ledger: {names_text(unknown_columns)}. Map them with --map.")
    tell_bad(tally)


def tell_bad(tally: Tally) -> None:
    """What could not be read, on standard error."""
    for lost in tally.unreadable:
        click.echo(f"{lost.file}: {lost.why}", err=True)
    for bad in tally.bad[:SHOWN_BAD_LINES]:
        click.echo(f"{bad.file}:{bad.line}: {bad.why}", err=True)
    if tally.bad_lines > SHOWN_BAD_LINES:
        click.echo(f"{tally.bad_lines:,} bad lines in all; --json names more of them.", err=True)


def _notes(tally: Tally) -> list[str]:
    notes = _estimates(tally)
    if tally.unknown_prices:
        names = names_text(tally.unknown_prices)
        notes.append(f"No price is known for {names}: in no cost. {HOW_TO_PRICE}")
    if tally.unknown_counts:
        notes.append(f"The log leaves a count unknown, so in no cost: {names_text(tally.unknown_counts)}.")
    if tally.copies:
        notes.append(f"Copies of calls, as resumed sessions hold them, not counted again: {tally.copies:,}.")
    if tally.through_gateway:
        notes.append(f"In the gateway's ledger already, not counted again: {_calls(tally.through_gateway)}.")
    if tally.taken_over:
        notes.append(
            f"Rows of providers' usage reports that these calls stand for, not counted any more: {tally.taken_over:,}."
        )
    if tally.api_errors:
        notes.append(f"Errors of the API, which nobody bills: {tally.api_errors:,}.")
    if tally.outside or tally.files_older:
        notes.append(
            f"Outside the period: {_calls(tally.outside)}; last written before it: {_files(tally.files_older)}."
        )
    return notes


def _estimates(tally: Tally) -> list[str]:
    if not tally.estimated_rows:
        return []
    versions = f"Versions that wrote them: {names_text(tally.estimated_versions)}."
    if tally.known_estimated_nanousd is None:
        return [f"Output was estimated in {_calls(tally.estimated_rows)}, none of a known cost.", versions]
    part = share(tally.estimated_nanousd, tally.cost_nanousd)
    shown = "" if part is None else f" ({part * 100:.1f} % of the bill)"
    notes = [f"{usd_fit(tally.estimated_nanousd)}{shown} rests on estimated output, in {_calls(tally.estimated_rows)}."]
    if tally.guessed_nanousd:
        notes.append(
            f"Their logs recorded too little: by those alone the bill is {usd_fit(tally.guessed_nanousd)} less."
        )
    return [*notes, versions]


def _calls(count: int) -> str:
    return f"{count:,} call{'' if count == 1 else 's'}"


def _files(count: int) -> str:
    return f"{count:,} file{'' if count == 1 else 's'}"


def names_text(counts: dict[str, int]) -> str:
    """Names with their counts, the most frequent first."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    more = f" and {len(ranked) - SHOWN_NAMES} more" if len(ranked) > SHOWN_NAMES else ""
    return ", ".join([f"{name} ({count:,})" for name, count in ranked[:SHOWN_NAMES]]) + more


def _bad(bad: BadLine) -> dict[str, Any]:
    return {"file": bad.file, "line": bad.line, "why": bad.why}
