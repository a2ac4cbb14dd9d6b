"""The price lists that `bascule prices` compares: by name, by file, at a moment."""

import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import click

from bascule.cli.data import data_dir_of, read_document
from bascule.cli.period import iso_day
from bascule.config.load import Document
from bascule.model.errors import BasculeError
from bascule.offline.moment import moment_ms
from bascule.offline.prices_diff import Side
from bascule.prices.book import PriceBook
from bascule.prices.local import FILE_NAME
from bascule.prices.sources.read import PACKAGE, installed_genai, read_source, read_source_file
from bascule.prices.sources.shape import PriceSource, book_of

SHIPPED, CURRENT = "shipped", "current"
SAFE = ("https://", "http://127.0.0.1:", "http://localhost:", "http://[::1]:")
MAX_BYTES = 64 * 1024 * 1024
TIMEOUT_S = 60
NAMES = (
    f"`{CURRENT}` (the shipped book with the data directory's prices), `{SHIPPED}`, `{PACKAGE}` (installed), or a file"
)


def local_path(document: Document | None) -> Path | None:
    """Where this installation's own prices are, or would be; None without a configuration."""
    return None if document is None else data_dir_of(document) / FILE_NAME


def optional_document(config_path: str | None) -> Document | None:
    """The configuration where there is one; its shape must be right, its secrets may be missing."""
    from bascule import compose

    if config_path is None and not compose.DEFAULT_FILE.exists():
        return None
    return read_document(config_path)


def current_book(document: Document | None) -> PriceBook:
    return PriceBook(local=local_path(document))


def list_of(text: str, document: Document | None, now_ms: int) -> Side:
    """`NAME` or `NAME@DATE`. Raises BasculeError, UsageError."""
    name, at_ms = _at(text, now_ms)
    if name == CURRENT:
        book = current_book(document)
        return Side(book.version, book, at_ms)
    if name == SHIPPED:
        book = PriceBook()
        return Side(book.version, book, at_ms)
    source = source_of(name)
    return Side(source.name, book_of(source), at_ms, source.dated)


def source_of(name: str) -> PriceSource:
    """A file, or the installed package by its name. Raises BasculeError."""
    return installed_genai() if name == PACKAGE and not Path(name).exists() else read_source_file(Path(name))


def fetched(url: str) -> PriceSource:
    """The list at an address. Raises BasculeError where it cannot be had, is too large, or is no price list."""
    if not url.startswith(SAFE):
        raise click.UsageError("--url takes an https:// address: prices are not taken from who might have changed them")
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as reply:  # noqa: S310 - the scheme was checked above
            if not str(reply.url).startswith(SAFE):
                raise BasculeError(f"{url} leads to {reply.url}, which is not https; download it yourself")
            raw = reply.read(MAX_BYTES + 1)
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise BasculeError(f"{url} cannot be fetched: {reason}; download it yourself and give the file") from error
    if len(raw) > MAX_BYTES:
        raise BasculeError(f"{url} is larger than {MAX_BYTES // 1024 // 1024} MB; no price list is")
    return read_source(raw, url)


def announced_ms(book: PriceBook, now_ms: int) -> int:
    """The last day from which a price is known to hold, now at the earliest."""
    starts = [
        period.from_ms
        for provider in book.providers
        for entry in book.models_of(provider)
        if entry.timeline is not None
        for period in entry.timeline.periods[-1:]
    ]
    return max([now_ms, *starts])


def side_payload(side: Side) -> dict[str, Any]:
    return {"list": side.name, "at": iso_day(side.at_ms), "dated": side.dated}


def _at(text: str, now_ms: int) -> tuple[str, int]:
    name, at, moment = text.rpartition("@")
    if not at:
        return text, now_ms
    try:
        return name, moment_ms(moment, now_ms)
    except ValueError:
        return text, now_ms  # a file whose name has an @
