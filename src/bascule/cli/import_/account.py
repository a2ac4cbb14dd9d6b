"""Imports of a provider's account: from files, or live; the options they share, and what they say."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from msgspec import Struct, structs

from bascule.cli.data import has_ledger, open_store, read_document, read_names
from bascule.cli.import_.account_summary import account_payload, tell_account
from bascule.cli.import_.books import Books, provider_of
from bascule.cli.import_.options import Asked, import_options
from bascule.cli.import_.running import bytes_bar, find
from bascule.cli.output import print_json
from bascule.cli.period import now_ms
from bascule.cli.price_lists import current_book
from bascule.offline.imports.account import Account
from bascule.offline.imports.account_run import AccountRun, Parts
from bascule.offline.imports.run import Wanted
from bascule.offline.imports.sellers import Sellers

F = TypeVar("F", bound=Callable[..., Any])

DAY_MS = 86_400_000
LIVE_DAYS = 30
SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv")

Report = tuple[str, Iterable[dict[str, Any]]]
"""A name for what is said of it, and its pages."""


class Source(Struct, frozen=True, kw_only=True):
    """What a command imports from: a path, or the API."""

    path: Path | None
    live: bool
    url: str | None
    without: tuple[tuple[str, str], ...]


def account_options(function: F) -> F:
    """PATH, `--live`, `--url`, `--without` as one argument `source`, and what every import takes as `asked`."""

    @wraps(function)
    def command(
        *args: Any, path: Path | None, live: bool, url: str | None, without: tuple[str, ...], **kwargs: Any
    ) -> Any:
        if (path is None) == (not live):
            raise click.UsageError("give either a PATH or --live")
        if url is not None and not live:
            raise click.UsageError("--url goes with --live")
        source = Source(path=path, live=live, url=url, without=_pairs(without))
        return function(*args, source=source, **kwargs)

    made: Any = import_options(command)
    for option in (
        click.option(
            "--without",
            multiple=True,
            metavar="GROUP=ID",
            help="Rows of known calls, e.g. api_key_id=key_1 for the gateway's own key: reports leave them out, and "
            "all others count whatever calls are known. Repeatable.",
        ),
        click.option("--url", default=None, metavar="URL", help="With --live: another address of the API."),
        click.option("--live", is_flag=True, help=f"Ask the API, for the last {LIVE_DAYS} days or --since, --until."),
        click.argument("path", required=False, type=click.Path(path_type=Path)),
    ):
        made = option(made)
    return cast(F, made)


def _pairs(given: Sequence[str]) -> tuple[tuple[str, str], ...]:
    made = []
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name or not value:
            raise click.BadParameter(f"{one!r} is not GROUP=ID", param_hint="--without")
        made.append((name.strip(), value.strip()))
    return tuple(made)


def import_account(
    account: Account, parts: Parts, source: Source, asked: Asked, live: Callable[[Asked], Iterator[Report]]
) -> None:
    """Import files, or what `live` asks for, and say what was found."""
    found = None if source.path is None else find([source.path], (), given=True, suffixes=SUFFIXES)
    if found is None:
        asked = whole_days(asked, now_ms())
    document = read_document(asked.config_path)
    names = read_names(asked.config_path) if document.config.models else None
    book = current_book(document)
    sellers = (
        Sellers(book) if names is None else Sellers(book, names.models, names.aliases, price_only=names.price_only)
    )
    run = AccountRun(
        account,
        parts,
        sellers=sellers,
        who=asked.attribution,
        wanted=Wanted(asked.period.since_ms, asked.period.until_ms),
        without=source.without,
    )
    if found is not None:
        with bytes_bar(f"importing {account.usage}", found.size_bytes) as progress:
            run.files(found, progress)
    else:
        for name, pages in live(asked):
            run.take(name, _numbered(pages))
    opened = None
    if not asked.dry_run or has_ledger(document):
        opened = open_store(document)
    try:
        store = None if opened is None else Books(opened)
        summary = run.finish(store, provider_of(document), dry_run=asked.dry_run)
    finally:
        if opened is not None:
            opened.imports.close()
            opened.database.close()
    if asked.as_json:
        print_json(account_payload(account, summary, dry_run=asked.dry_run))
    else:
        tell_account(account, summary, dry_run=asked.dry_run, live=source.live)
    if summary.tally.is_unreadable and not summary.costs.rows:
        sys.exit(1)


def whole_days(asked: Asked, at_ms: int) -> Asked:
    """The period of a live import: reports are by day."""
    since_ms, until_ms = asked.period.since_ms, asked.period.until_ms
    since_ms = (at_ms - LIVE_DAYS * DAY_MS) if since_ms is None else since_ms
    since_ms -= since_ms % DAY_MS
    until_ms = at_ms if until_ms is None else min(until_ms, at_ms)
    until_ms += -until_ms % DAY_MS
    if until_ms <= since_ms:
        raise click.UsageError("the period begins in the future")
    return structs.replace(asked, period=structs.replace(asked.period, since_ms=since_ms, until_ms=until_ms))


def _numbered(pages: Iterable[dict[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    yield from enumerate(pages, start=1)
