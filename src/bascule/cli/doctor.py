"""`bascule doctor`: is everything there that serving needs?"""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from bascule.cli.certificates import read_certificates, standing
from bascule.cli.data import data_dir_of, has_ledger, open_store
from bascule.cli.output import config_option, json_option, print_json
from bascule.cli.period import now_ms
from bascule.cli.reach import reach
from bascule.config.load import Document
from bascule.link import Snapshot
from bascule.model.errors import BasculeError, ConfigError, StoreError
from bascule.model.row import RowFilter
from bascule.offline.diagnosis import (
    CLOCK_SLACK_MS,
    Finding,
    clock_finding,
    disk_finding,
    journal_findings,
    prices_finding,
)
from bascule.prices.book import PriceBook


@click.command("doctor")
@config_option
@click.option("--timeout", "timeout_s", default=5.0, show_default=True, type=click.FloatRange(0.1, 60), metavar="S",
              help="For each provider's connection.")  # fmt: skip
@json_option
def command(config_path: str | None, timeout_s: float, as_json: bool) -> None:
    """Check keys, reachability, clock, prices, disk, database and journals. Exit status 1 where something fails.

    Providers are connected to (TCP and TLS); nothing is sent to them. `certify` proves one with real calls.
    """
    found = list(findings(config_path, timeout_s))
    if as_json:
        print_json({"ok": all(one.status != "fail" for one in found), "checks": [payload(one) for one in found]})
    else:
        width = max(len(one.name) for one in found)
        for one in found:
            click.echo(f"{one.status:<4}  {one.name:<{width}}  {one.what}{f'. {one.remedy}' if one.remedy else ''}")
    if any(one.status == "fail" for one in found):
        sys.exit(1)


def payload(finding: Finding) -> dict[str, Any]:
    return {"name": finding.name, "status": finding.status, "what": finding.what, "remedy": finding.remedy or None}


def findings(config_path: str | None, timeout_s: float) -> Iterator[Finding]:
    """In the order in which they are worth mending. Raises ConfigError where the file itself cannot be read."""
    from bascule import compose

    document = compose.read_document(config_path, os.environ)
    yield from _configuration(document, timeout_s)
    yield from _store(document)
    yield _prices(compose.price_book(document))
    yield _disk(data_dir_of(document))


def _configuration(document: Document, timeout_s: float) -> Iterator[Finding]:
    from bascule import compose

    try:
        snapshot = compose.snapshot_of(document, os.environ, stored_keys=True)
    except ConfigError as error:
        for problem in error.problems:
            yield Finding("configuration", "fail", f"{problem.where}: {problem.what}", problem.remedy)
        return
    for problem in snapshot.warnings:
        yield Finding("configuration", "warn", f"{problem.where}: {problem.what}", problem.remedy)
    yield Finding("configuration", "ok", f"{document.file} ({len(snapshot.providers)} providers)")
    yield from _keys(snapshot, document)
    yield from reach(snapshot.providers.values(), timeout_s)


def _keys(snapshot: Snapshot, document: Document) -> Iterator[Finding]:
    certificates = read_certificates(data_dir_of(document))
    for linked in snapshot.providers.values():
        said = standing(linked, certificates)
        if linked.secret is not None:
            yield Finding(f"key {linked.name}", "ok", f"there ({linked.secret.fingerprint}); {said}")
        elif (signing := linked.signing) is not None:
            whose = "those of the environment" if signing.keys is not None else "as AWS's own tools find them"
            yield Finding(f"key {linked.name}", "ok", f"signed for {signing.region}, credentials: {whose}; {said}")
        elif linked.spec.auth == "none" or not linked.spec.key_required:
            yield Finding(f"key {linked.name}", "ok", f"none needed; {said}")
        else:
            names = " or ".join(linked.spec.key_envs)
            yield Finding(f"key {linked.name}", "warn", "none given", f"Set {names} unless the server wants no key")


def _store(document: Document) -> Iterator[Finding]:
    """Database, clock against its newest row, and journals."""
    at_ms = now_ms()
    if not has_ledger(document):
        yield Finding("database", "ok", f"{data_dir_of(document)} holds none yet; `bascule serve` makes it")
        yield clock_finding(at_ms, None)
        return
    try:
        store = open_store(document)
        ahead = store.view.attempts(RowFilter(since_ms=at_ms + CLOCK_SLACK_MS))
        newest_ms = max([row.ts_start_ms for row in ahead], default=None)
        open_attempts = sum(row.kind == "intent" for row in store.view.attempts(RowFilter(since_ms=at_ms - 86_400_000)))
    except StoreError as error:
        yield Finding("database", "fail", str(error), "See above")
        yield clock_finding(at_ms, None)
        return
    yield Finding("database", "ok", f"{store.database.place} opens, schema version {store.stores.schema_version}")
    yield clock_finding(at_ms, newest_ms)
    yield from _journals(store.journals, open_attempts)


def _journals(directory: Path, open_attempts: int) -> list[Finding]:
    from bascule.storage.journal.segments import lock_chain, locked_chains, segments_by_chain

    written = segments_by_chain(directory)
    live = 0
    for chain_id in locked_chains(directory):
        lock = lock_chain(directory, chain_id)
        if lock is None:
            live += 1
            written.pop(chain_id, None)
        else:
            lock.release()
    aside = directory / "damaged"
    damaged = len(list(aside.iterdir())) if aside.is_dir() else 0
    return journal_findings(live, len(written), damaged, open_attempts)


def _prices(book: PriceBook) -> Finding:
    at_ms = now_ms()
    newest = max(
        [
            period.from_ms
            for provider in book.providers
            for entry in book.models_of(provider)
            if entry.timeline is not None
            for period in entry.timeline.periods
            if 0 < period.from_ms <= at_ms
        ],
        default=None,
    )
    return prices_finding(newest, at_ms, book.version)


def _disk(data_dir: Path) -> Finding:
    place = data_dir
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        free = shutil.disk_usage(place).free
        writable = os.access(place, os.W_OK)
    except OSError as error:
        raise BasculeError(f"{place} cannot be looked at: {error.strerror}") from error
    if not writable:
        return Finding("disk", "fail", f"{place} cannot be written", "Give data_dir to the user that runs bascule")
    return disk_finding(free, str(place))
