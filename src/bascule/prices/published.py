"""Prices and claims about prices as articles print them: one file, told apart from the price book.

The layout (all parts optional): `price_history` is a list of {date, model, input, output, capability}; `trends` a list
of claims, each {what, from: {date, price}, to: {date, price}} or {what, dearest, cheapest} or {what: "A against B"},
with what was `published` and perhaps what somebody `computed`; `catalog_2026` a list of {model, input, output,
cache_read, context, and scores by name}; `prompt_caching` {vendor: {write, read}} in multiples of the input price.
Prices are US dollars per million tokens. Parts that other commands read are left alone.
"""

from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec import Struct

from bascule.model.errors import ConfigError, Problem
from bascule.model.money import rate_from_usd_per_mtok
from bascule.prices.calendar import CalendarDate, read_date
from bascule.prices.plain import LINE, read_plain

MOST_USD = 1_000_000_000
"""Per million tokens: beyond that a figure is a slip of the pen."""
CATALOG = "catalog_2026"
CATALOG_YEAR = 2026


class PricePoint(Struct, frozen=True, kw_only=True):
    """What a model cost when it came out: pico-USD per token; capability on whatever scale the file has."""

    date: CalendarDate
    model: str
    input: int
    output: int
    capability: float | None = None


class ListedModel(Struct, frozen=True, kw_only=True):
    """A model of the file's catalog. None is not given."""

    model: str
    input: int
    output: int | None = None
    cache_read: int | None = None
    context: int | None = None
    scores: dict[str, float] = {}
    """Benchmark results by name, on the file's own scale."""
    licence: str | None = None


class PriceAt(Struct, frozen=True):
    date: CalendarDate
    price: Decimal


class Claim(Struct, frozen=True, kw_only=True):
    """One statement about how prices moved or differ, and the inputs that it gives."""

    what: str
    line: int
    published: Any = None
    start: PriceAt | None = None
    end: PriceAt | None = None
    dearest: Decimal | None = None
    cheapest: Decimal | None = None
    rates: dict[str, tuple[Decimal, ...]] = {}
    """Yearly folds that others published, by who did: one, or a range."""
    computed: dict[str, Decimal] = {}
    """What the file itself says that its inputs give."""
    note: str | None = None


class CacheMultiples(Struct, frozen=True):
    """Prices of prompt caching as multiples of the input price."""

    write: Decimal
    read: Decimal


class Published(Struct, frozen=True, kw_only=True):
    """A file's parts; empty where it does not have them."""

    file: str
    history: tuple[PricePoint, ...] = ()
    claims: tuple[Claim, ...] = ()
    catalog: tuple[ListedModel, ...] = ()
    caching: dict[str, CacheMultiples] = {}


def read_published(path: Path) -> Published:
    """Raises ConfigError with every mistake, each with its line."""
    root = read_plain(path)
    reader = _Reader(str(path))
    if not isinstance(root, dict):
        raise ConfigError((Problem(str(path), "is no mapping", "It needs e.g. a list `price_history`"),))
    found = Published(
        file=path.name,
        history=tuple(reader.each(root, "price_history", reader.point)),
        claims=tuple(reader.each(root, "trends", reader.claim)),
        catalog=tuple(reader.each(root, CATALOG, reader.listed)),
        caching=reader.caching(root),
    )
    if reader.problems:
        raise ConfigError(tuple(reader.problems))
    return found


class _Wrong(Exception):
    """What is wrong with one entry, and how to mend it."""

    def __init__(self, what: str, mend: str) -> None:
        self.what, self.mend = what, mend
        super().__init__(what)


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def each(self, root: dict[str, Any], key: str, read: Any) -> list[Any]:
        entries = root.get(key)
        if entries is None:
            return []
        if not isinstance(entries, list):
            self._problem(root, f"{key} is no list", "Write one entry per line, each with a dash")
            return []
        made = []
        for entry in entries:
            try:
                made.append(read(_mapping(entry)))
            except _Wrong as wrong:
                self._problem(entry if isinstance(entry, dict) else root, f"{key}: {wrong.what}", wrong.mend)
        return made

    def _problem(self, entry: dict[str, Any], what: str, mend: str) -> None:
        self.problems.append(Problem(f"{self.file}:{entry[LINE]}", what, mend))

    def point(self, entry: dict[str, Any]) -> PricePoint:
        return PricePoint(
            date=_date(entry, "date"),
            model=_text(entry, "model"),
            input=_rate(entry, "input"),
            output=_rate(entry, "output"),
            capability=None if entry.get("capability") is None else float(_number(entry, "capability")),
        )

    def listed(self, entry: dict[str, Any]) -> ListedModel:
        known = {"model", "input", "output", "cache_read", "context", "licence", LINE}
        scores = {name: float(value) for name, value in entry.items() if name not in known and _is_number(value)}
        return ListedModel(
            model=_text(entry, "model"),
            input=_rate(entry, "input"),
            output=None if entry.get("output") is None else _rate(entry, "output"),
            cache_read=None if entry.get("cache_read") is None else _rate(entry, "cache_read"),
            context=None if entry.get("context") is None else int(_number(entry, "context")),
            scores=scores,
            licence=None if entry.get("licence") is None else str(entry["licence"]),
        )

    def claim(self, entry: dict[str, Any]) -> Claim:
        known = {"what", "from", "to", "dearest", "cheapest", "published", "computed", "note", LINE}
        computed = entry.get("computed")
        return Claim(
            what=_text(entry, "what"),
            line=entry[LINE],
            published=entry.get("published"),
            start=_price_at(entry, "from"),
            end=_price_at(entry, "to"),
            dearest=_price(entry, "dearest") if "dearest" in entry else None,
            cheapest=_price(entry, "cheapest") if "cheapest" in entry else None,
            rates={name: found for name, value in entry.items() if name not in known and (found := _numbers(value))},
            computed={k: v for k, v in computed.items() if _is_number(v) and k != LINE}
            if isinstance(computed, dict)
            else {},
            note=None if entry.get("note") is None else str(entry["note"]),
        )

    def caching(self, root: dict[str, Any]) -> dict[str, CacheMultiples]:
        found = {}
        given = root.get("prompt_caching")
        for vendor, entry in given.items() if isinstance(given, dict) else ():
            if vendor != LINE:
                try:
                    found[vendor] = CacheMultiples(_price(_mapping(entry), "write"), _price(_mapping(entry), "read"))
                except _Wrong as wrong:
                    place = entry if isinstance(entry, dict) else root
                    self._problem(place, f"prompt_caching: {wrong.what}", wrong.mend)
        return found


def _mapping(entry: Any) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise _Wrong("an entry is no mapping", "Write {name: value, ...}")
    return entry


def _is_number(value: Any) -> bool:
    return isinstance(value, Decimal)


def _numbers(value: Any) -> tuple[Decimal, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(values) if values and all(_is_number(one) and one > 0 for one in values) else ()


def _text(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise _Wrong(f"`{key}` is missing or no text", f"Give the entry a `{key}`")
    return value


def _number(entry: dict[str, Any], key: str) -> Decimal:
    value = entry.get(key)
    if not isinstance(value, Decimal) or not value.is_finite():
        raise _Wrong(f"`{key}` is missing or no number", f"Give the entry a `{key}` such as 0.25")
    return value


def _price(entry: dict[str, Any], key: str) -> Decimal:
    value = _number(entry, key)
    if not 0 < value < MOST_USD:
        raise _Wrong(f"`{key}` is no price above 0", "A fold needs a price; leave out what is free or unknown")
    return value


def _rate(entry: dict[str, Any], key: str) -> int:
    try:
        return rate_from_usd_per_mtok(_price(entry, key))
    except ValueError as error:
        raise _Wrong(f"`{key}`: {error}", "Write US dollars per million tokens") from None


def _date(entry: dict[str, Any], key: str) -> CalendarDate:
    value = entry.get(key)
    try:
        return read_date("" if value is None else str(value))
    except ValueError:
        raise _Wrong(f"`{key}` is missing or no date", "Write 2026, 2026-11 or 2026-11-21") from None


def _price_at(entry: dict[str, Any], key: str) -> PriceAt | None:
    if entry.get(key) is None:
        return None
    given = _mapping(entry[key])
    return PriceAt(_date(given, "date"), _price(given, "price"))
