"""`bascule ledger move`: what began on one host, into the database that several share."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bascule.cli.data import data_dir_of, open_store, read_document
from bascule.cli.output import config_option, json_option, print_json
from bascule.cli.period import now_ms
from bascule.config.load import Document
from bascule.config.sources import Secrets
from bascule.model.errors import BasculeError
from bascule.offline.audit import read_trail
from bascule.offline.verify import Verdict, verify_ledger

if TYPE_CHECKING:
    from bascule.storage.stores import Stores


@click.command("move")
@config_option
@json_option
def command(config_path: str | None, as_json: bool) -> None:
    """Copy the SQLite ledger of `data_dir` into the PostgreSQL that `database` names, with keys, budgets, the audit
    trail and imports.

    Stop the gateway first. What it left open is settled, and all of it is verified before and after; exit status 1
    names what does not hold. Cut short, it goes on at the next call. The file stays as it is: keep it as a backup.
    """
    from bascule.storage.claim import claim
    from bascule.storage.sqlite.connect import FILE_NAME

    document = read_document(config_path)
    data_dir = data_dir_of(document)
    if document.config.database is None:
        raise click.UsageError("the configuration names no `database`; write e.g. `database: env:BASCULE_DATABASE`")
    if not (data_dir / FILE_NAME).exists():
        raise BasculeError(f"{data_dir} has no SQLite ledger to move")
    claimed = claim(data_dir)
    try:
        rows = _moved(document, data_dir)
    finally:
        claimed.release()
    if as_json:
        print_json({"moved": True, "rows": rows})
        return
    counted = {"attempts": "attempts", "imported": "imported rows", "keys": "keys", "audit": "audit entries"}
    told = ", ".join(f"{rows[table]} {words}" for table, words in counted.items())
    click.echo(f"moved {told}; all of it holds there")


def _moved(document: Document, data_dir: Path) -> dict[str, int]:
    from bascule import compose
    from bascule.storage.postgres.move import move
    from bascule.storage.sqlite.connect import FILE_NAME, Database
    from bascule.storage.sqlite.open import open_sqlite
    from bascule.storage.view import LedgerView

    journals = data_dir / "journal"
    here = open_sqlite(data_dir, document.config.durability)
    try:
        _settle(here, journals)
        _judge("the ledger here", verify_ledger(LedgerView(here.ledger, journals)), _audit(here))
        source = Database(data_dir / FILE_NAME, document.config.durability)
        target = compose.open_shared(document, Secrets(os.environ, document.directory))
        try:
            rows = move(source, target, lambda step: click.echo(step, err=True))
        finally:
            source.close()
            target.close()
    finally:
        here.database.close()
    there = open_store(document)
    try:
        _judge("the ledger there", verify_ledger(there.view), _audit(there.stores))
    finally:
        there.database.close()
    return rows


def _settle(stores: "Stores", journals: Path) -> None:
    """Journals drained, and open attempts settled at their hold, as the next start would."""
    from bascule.storage.drainer import Drainer
    from bascule.storage.journal.segments import chain_id_of
    from bascule.storage.journal.writer import JournalWriter
    from bascule.storage.recover import recover
    from bascule.storage.replica import LOCAL

    at_ms = now_ms()
    journal = JournalWriter(journals, chain_id_of(LOCAL, 0, f"move{at_ms:x}"))
    drainer = Drainer(journal, stores.ledger)
    recover(journals, stores.ledger, journal, drainer, at_ms)
    if not drainer.close():
        raise BasculeError(f"{journals} could not be drained; see above")


def _audit(stores: "Stores") -> Verdict:
    return read_trail(stores.governance, latest=0).verdict


def _judge(what: str, *verdicts: Verdict) -> None:
    findings = [found for verdict in verdicts for found in verdict.findings]
    for found in findings:
        click.echo(f"{found.where}: {found.what}", err=True)
    if findings:
        click.echo(f"{what} does not hold ({len(findings)} findings), so nothing more was done", err=True)
        sys.exit(1)
