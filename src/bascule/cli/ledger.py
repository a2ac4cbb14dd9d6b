"""`bascule ledger`: rows for other programs, the proof that they are whole, and corrections."""

import secrets
import sys
from contextlib import AbstractContextManager, nullcontext
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from bascule.cli import ledger_move
from bascule.cli.data import open_existing, read_document
from bascule.cli.output import config_option, json_option, print_json
from bascule.cli.period import Period, iso, iso_day, now_ms, period_options
from bascule.cli.progress import track
from bascule.cli.who import who
from bascule.model.entry import Adjustment
from bascule.model.errors import BasculeError
from bascule.model.ids import ulid
from bascule.model.money import nanousd_from_usd, usd_text
from bascule.model.row import RowFilter
from bascule.offline.adjustment import adjusted_cost_nanousd, adjustment_payload, attempt_of, record_adjustment
from bascule.offline.export import Format, export
from bascule.offline.moment import moment_ms
from bascule.offline.rows import COLUMNS, RowKind, documents
from bascule.offline.verify import verify_ledger
from bascule.ports import HOUR_MS

if TYPE_CHECKING:
    from bascule.compose import Store
    from bascule.storage.segments.compact import Compacted

DAY_MS = 24 * HOUR_MS


@click.group("ledger")
def command() -> None:
    """Rows for other programs, the proof that they are whole, and corrections."""


@command.command("export")
@click.option("--rows", type=click.Choice(["attempts", "requests"]), default="attempts", show_default=True)
@click.option("--format", "form", type=click.Choice(["jsonl", "csv", "parquet"]), default="jsonl", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format jsonl.")
@period_options
@click.option("--key", default=None, help="Of this key alone.")
@click.option("--session", default=None, help="Of this session alone.")
@click.option("--request", "request_id", default=None, metavar="ID", help="Of this x-bascule-request-id alone.")
@click.option("--model", default=None, help="Of this model alone.")
@click.option("--origin", default=None, help="Of what this has recorded: gateway, or the source of an import.")
@click.option("--out", "out_path", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Write there.")
@config_option
def export_rows(
    rows: RowKind,
    form: Format,
    as_json: bool,
    period: Period,
    key: str | None,
    session: str | None,
    request_id: str | None,
    model: str | None,
    origin: str | None,
    out_path: Path | None,
    config_path: str | None,
) -> None:
    """Write ledger rows: one per upstream attempt and cache hit, or one per client request."""
    if form == "parquet" and not as_json:
        export((), (), "parquet", sys.stdout)  # refuses, before a file is opened
    store = open_existing(read_document(config_path))
    where = RowFilter(
        since_ms=period.since_ms,
        until_ms=period.until_ms,
        key=key,
        session_id=session,
        request_id=request_id,
        model=model,
        origin=origin,
    )
    unheard = store.view.unheard()
    found = track(documents(store.view, rows, where), "exporting")
    with _opened(out_path) as stream:
        count = export(found, COLUMNS[rows], "jsonl" if as_json else form, stream)
    if out_path is not None:
        click.echo(f"{count} rows in {out_path}", err=True)
    if unheard:
        click.echo(
            f"incomplete: {len(unheard)} journals of other replicas may have rows that are not in the database yet "
            f"({', '.join(unheard)}). See whether those replicas run; each drains its own at its next start",
            err=True,
        )


def _opened(out_path: Path | None) -> AbstractContextManager[IO[str]]:
    if out_path is None:
        return nullcontext(sys.stdout)
    try:
        return out_path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise BasculeError(f"{out_path} cannot be written: {error.strerror}") from error


command.add_command(ledger_move.command)


@command.command("verify")
@config_option
@json_option
def verify(config_path: str | None, as_json: bool) -> None:
    """Check every line, link and price of the ledger. Exit status 1 names what does not hold."""
    verdict = verify_ledger(open_existing(read_document(config_path)).view)
    if as_json:
        print_json(
            {
                "holds": verdict.holds,
                "chains": verdict.chains,
                "lines": verdict.lines,
                "attempts": verdict.attempts,
                "imported": verdict.imported,
                "findings": [{"where": found.where, "what": found.what} for found in verdict.findings],
            }
        )
    else:
        for found in verdict.findings:
            click.echo(f"{found.where}: {found.what}", err=True)
        looked = f"{verdict.attempts} attempts in {verdict.lines} lines of {verdict.chains} chains"
        click.echo(f"{looked}: {'all of it holds' if verdict.holds else f'{len(verdict.findings)} findings'}")
        if verdict.imported:
            click.echo(f"{verdict.imported} imported rows are no proof and were left out")
    if not verdict.holds:
        sys.exit(1)


@command.command("compact")
@click.option("--until", default=None, metavar="WHEN", help="Only hours before then; a day or month counts whole.")
@config_option
@json_option
def compact(until: str | None, config_path: str | None, as_json: bool) -> None:
    """Write settled hours, and what was imported, to Parquet files, so that reports need not read them again.

    Only days that changed are written. The ledger itself stays as it is: the files may be deleted at any time.
    """
    from bascule.storage.analytics.connect import AnalyticsMissing
    from bascule.storage.segments.compact import compact as compacted

    at_ms = now_ms()
    try:
        until_ms = None if until is None else moment_ms(until, at_ms, end=True)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--until") from None
    store = open_existing(read_document(config_path))
    try:
        done = compacted(store.ledger, store.segments.folder, at_ms, until_ms, lambda days: track(days, "compacting"))
    except AnalyticsMissing as error:
        raise click.UsageError(str(error)) from None
    if as_json:
        print_json(compaction_payload(done))
        return
    rows = sum(one.rows for one in done.written)
    click.echo(f"{rows} rows in {len(done.written)} new files of {store.segments.folder}, {done.unchanged} unchanged")
    if done.open_hours:
        click.echo(f"{len(done.open_hours)} hours wait for attempts that are not settled", err=True)


@command.command("adjust")
@click.argument("attempt_id")
@click.option("--delta-usd", required=True, metavar="USD", help="What to add to its cost; may be negative.")
@click.option("--reason", required=True, help="Kept with the correction.")
@config_option
@json_option
def adjust(attempt_id: str, delta_usd: str, reason: str, config_path: str | None, as_json: bool) -> None:
    """Correct the cost of an attempt by a new line; nothing is changed or removed."""
    delta = _delta(delta_usd)
    if not reason.strip():
        raise click.BadParameter("say why", param_hint="--reason")
    store = open_existing(read_document(config_path))
    before = attempt_of(store.view, attempt_id)
    if before is None:
        raise BasculeError(f"the ledger has no attempt {attempt_id!r}; `bascule ledger export` lists them")
    if before.kind == "intent":
        raise BasculeError(f"{attempt_id} is still open; correct it once it has been settled")
    at_ms = now_ms()
    line = Adjustment(
        adjustment_id=f"adj_{ulid(at_ms, secrets.randbits(80))}",
        attempt_id=attempt_id,
        ts_ms=at_ms,
        delta_nanousd=delta,
        reason=reason.strip(),
        by=who(),
    )
    write_adjustment(store, line)
    record_adjustment(store.governance, line)
    if as_json:
        print_json(adjustment_payload(before, line))
        return
    after = usd_text(adjusted_cost_nanousd(before, line))
    click.echo(f"{attempt_id}: {usd_text(before.cost_nanousd) or 'unknown'} becomes {after}")
    if before.held:
        click.echo("A gateway that is running counts this in its budgets from its next start.", err=True)


def write_adjustment(store: "Store", line: Adjustment) -> None:
    """Through a journal of this command's own, then into the store. Raises StoreError, LedgerUnavailable."""
    from bascule.storage.drainer import Drainer
    from bascule.storage.journal.writer import JournalWriter

    journal = JournalWriter(store.journals, f"command-{line.adjustment_id}", durability="power")
    drained = False
    try:
        journal.adjust(line)
        Drainer(journal, store.ledger).drain()
        store.ledger.make_durable()
        drained = journal.backlog == 0
    finally:
        # Where the store did not take it, the line stays in its journal and the next start of the gateway drains it.
        journal.close(remove=drained)


def compaction_payload(done: "Compacted") -> dict[str, Any]:
    """Stable keys; times are the beginnings of hours."""
    return {
        "written": [
            {
                "origin": one.origin,
                "day": iso_day(one.day * DAY_MS),
                "rows": one.rows,
                "hours": len(one.hours),
                "file": one.file,
                "size_bytes": one.size_bytes,
            }
            for one in done.written
        ],
        "unchanged": done.unchanged,
        "open_hours": [iso(hour * HOUR_MS) for hour in done.open_hours],
    }


def _delta(text: str) -> int:
    try:
        delta = nanousd_from_usd(Decimal(text))
    except (ValueError, InvalidOperation):
        raise click.BadParameter(f"{text!r} is not an amount of dollars", param_hint="--delta-usd") from None
    if not delta:
        raise click.BadParameter("a correction of nothing corrects nothing", param_hint="--delta-usd")
    return delta
