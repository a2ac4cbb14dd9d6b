"""An import from the command line: files found, the store opened, a bar while it runs, a summary after."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

import click

from bascule.cli.data import has_ledger, open_store, read_document, read_names
from bascule.cli.import_.books import Books, provider_of
from bascule.cli.import_.options import Asked
from bascule.cli.import_.summary import payload, tell
from bascule.cli.output import print_json
from bascule.cli.period import now_ms
from bascule.cli.price_lists import current_book
from bascule.model.row import GATEWAY, AttemptRow, RowFilter
from bascule.offline.imports.account_run import rejudged
from bascule.offline.imports.booking import Booking, Origin
from bascule.offline.imports.overlap import OwnRows, ThroughGateway
from bascule.offline.imports.places import Found, NoLogs, find_logs
from bascule.offline.imports.rows import SOURCE as ROWS
from bascule.offline.imports.run import Progress, Reader, Run, Wanted
from bascule.offline.imports.sellers import Sellers
from bascule.offline.imports.tally import Tally

if TYPE_CHECKING:
    from bascule.compose import Store


DAY_MS = 86_400_000
CLIENTS = {"claude-code": "Claude Code", "codex": "Codex"}


class LogReader(Reader, Protocol):
    @property
    def met(self) -> bool:
        """Whether any line was this client's, a call or not."""


def latest_ms() -> int:
    """Until when a log's calls are believed: clocks go wrong by hours and zones, and not by years."""
    return now_ms() + DAY_MS


def import_logs(
    origin: Origin, reader: LogReader, roots: list[Path], inside: tuple[str, ...], *, given: bool, asked: Asked
) -> Tally:
    """Import an agent's logs and say what was found."""
    found = find(roots, inside, given=given)
    with Imports(origin, asked) as imports:
        tally = imports.run(reader, found)
    finish(origin.source, tally, asked)
    if tally.lines and not reader.met:
        names = " and ".join([str(root) for root in roots if root.exists()])
        others = " or ".join([f"`bascule import {name}`" for name in CLIENTS if name != origin.source])
        raise click.BadParameter(
            f"no line in {names} is one of {CLIENTS[origin.source]}; if the logs are another client's, try {others}",
            param_hint="PATH",
        )
    return tally


def find(roots: list[Path], inside: tuple[str, ...], *, given: bool, suffixes: tuple[str, ...] = (".jsonl",)) -> Found:
    """The files. A path without any is wrong use."""
    try:
        return find_logs(roots, inside, given=given, suffixes=suffixes)
    except NoLogs as error:
        raise click.BadParameter(str(error), param_hint="PATH") from None


class Imports:
    """The configuration's prices and, but in a dry run, its store: open while the files are read."""

    def __init__(self, origin: Origin, asked: Asked) -> None:
        document = read_document(asked.config_path)
        # Linked for what it says of models alone: a configuration without providers is enough here.
        names = read_names(asked.config_path) if document.config.models else None
        book = current_book(document)
        self._origin = origin
        self._asked = asked
        self._provider_of = provider_of(document)
        if names is None:
            self.sellers = Sellers(book)
        else:
            self.sellers = Sellers(book, names.models, names.aliases, names.price_only)
        self._store: Store | None = None
        if not asked.dry_run or has_ledger(document):
            self._store = open_store(document)

    def __enter__(self) -> "Imports":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._store is not None:
            self._store.imports.close()
            self._store.database.close()

    def run(self, reader: Reader, found: Found) -> Tally:
        asked = self._asked
        store = self._store
        with ExitStack() as stack:
            run = Run(
                reader=reader,
                booking=Booking(self._origin, self.sellers, asked.attribution),
                put=None if asked.dry_run or store is None else store.imports.put,
                wanted=Wanted(asked.period.since_ms, asked.period.until_ms),
                recorded=None if store is None else _recorded(store, self._origin.source, stack),
            )
            progress = stack.enter_context(bytes_bar(f"importing {self._origin.source}", found.size_bytes))
            tally = run.files(found, progress)
        if store is not None and not asked.dry_run and tally.first_ms is not None and tally.last_ms is not None:
            counts, _ = rejudged(Books(store), tally.first_ms, tally.last_ms + 1, self._provider_of)
            tally.taken_over = counts.replaced
        return tally


def _recorded(store: "Store", source: str, stack: ExitStack) -> Callable[[AttemptRow], bool] | None:
    """Whether the gateway's ledger has a call. None where it has nothing, so that nothing is asked."""
    own = RowFilter(origin=GATEWAY)
    if next(store.view.attempts(own), None) is None:
        return None
    if source == ROWS:
        return OwnRows(source, stack.enter_context(store.ledger.snapshot()).known_attempts).has

    def attempts_of(session_id: str) -> Iterator[AttemptRow]:
        return store.view.attempts(RowFilter(origin=GATEWAY, session_id=session_id))

    return ThroughGateway(attempts_of).has


def finish(source: str, tally: Tally, asked: Asked, unknown_columns: dict[str, int] | None = None) -> None:
    """The summary. Exit status 1 where there was something to read and nothing of it could be."""
    if asked.as_json:
        print_json(payload(source, tally, dry_run=asked.dry_run, unknown_columns=unknown_columns))
    else:
        tell(source, tally, dry_run=asked.dry_run, unknown_columns=unknown_columns)
    if tally.is_unreadable:
        sys.exit(1)


@contextmanager
def bytes_bar(what: str, total_bytes: int) -> Iterator[Progress | None]:
    """A bar on standard error that is told of bytes, where that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total_bytes)
        yield lambda done: bar.advance(task, done)
