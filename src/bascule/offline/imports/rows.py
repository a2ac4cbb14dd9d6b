"""Rows of any program: JSON Lines or CSV with the ledger's column names, or a map to them."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, structs

from bascule.decide.price import price
from bascule.model.imported import import_id
from bascule.model.row import GATEWAY, AttemptRow
from bascule.model.usage import Usage
from bascule.offline.imports.booking import Attribution
from bascule.offline.imports.columns import COLUMNS, COSTS, IGNORED, text
from bascule.offline.imports.documents import csv_rows, json_lines
from bascule.offline.imports.judge import UNCONFIRMED
from bascule.offline.imports.lines import BadLine, Lines
from bascule.offline.imports.observed import ESTIMATED, FINAL, PLAUSIBLE, UNKNOWN, Given
from bascule.offline.imports.sellers import Sellers
from bascule.offline.sums import TOKENS

SOURCE = "jsonl"
MAX_UNKNOWN = 1_000
_TAG = "tag."


class Mapped(Struct, frozen=True):
    """`ours` is read from `theirs`: a column, or a path of names with dots into nested objects."""

    ours: str
    theirs: str
    path: tuple[str, ...]


def column_map(pairs: Mapping[str, str]) -> tuple[Mapped, ...]:
    """Ours to theirs. Raises ValueError where `ours` is no column of the ledger, with the nearest that is."""
    made = []
    for ours, theirs in pairs.items():
        if ours != "id" and ours not in COLUMNS and not (ours.startswith(_TAG) and len(ours) > len(_TAG)):
            near = get_close_matches(ours, [*COLUMNS, "id"], n=3)
            mend = f"; did you mean {', '.join(near)}?" if near else f"; there are id, tag.K, {', '.join(COLUMNS)}"
            raise ValueError(f"{ours!r} is no column of the ledger{mend}")
        made.append(Mapped(ours, theirs, tuple(theirs.split("."))))
    return tuple(made)


class RowReader:
    """Reads *.csv as CSV with a header, everything else as JSON Lines. `unknown` gathers columns that say nothing to
    us, each with how often it had a value."""

    api_errors = 0

    def __init__(self, sellers: Sellers, attribution: Attribution, columns: tuple[Mapped, ...] = ()) -> None:
        self._sellers = sellers
        self._who = attribution
        self._columns = columns
        self._taken = frozenset({column.path[0] for column in columns})
        self.unknown: dict[str, int] = {}

    def read(self, path: Path, blocks: Iterator[Lines]) -> Iterator[Given | BadLine]:
        """What a file tells. Raises OSError while reading."""
        name = str(path)
        seen: dict[bytes, int] = {}
        documents = csv_rows(name, blocks) if path.suffix.lower() == ".csv" else json_lines(name, blocks)
        for number, found in documents:
            if isinstance(found, BadLine):
                yield found
                continue
            try:
                yield self._given(found, seen)
            except ValueError as error:
                yield BadLine(name, number, str(error))

    def _given(self, found: dict[str, Any], seen: dict[bytes, int]) -> Given:
        """Raises ValueError with the column and what was expected in it."""
        values, tags, own_id = self._values(found)
        if "ts_start_ms" not in values:
            raise ValueError("ts_start: a row needs the time when it began; name its column with --map ts_start=…")
        source_id = own_id or values.get("attempt_id") or _content_id(found, seen)
        origin = found.get("origin")
        if not isinstance(origin, str) or origin in ("", GATEWAY):
            origin = SOURCE
        # An imported row that was exported is what it was, so that no call is there twice.
        source_id = source_id.removeprefix(f"{origin}:")
        values["attempt_id"] = import_id(origin, source_id)
        values.setdefault("request_id", values["attempt_id"])
        values.setdefault("attempt_no", 1)
        if "usage_source" not in values:
            values["usage_source"] = "reported" if any(name in values for name in TOKENS) else "none"
        who = self._who
        for name in ("key", "org", "team", "project", "user"):
            given = getattr(who, name)
            if given is not None:
                values.setdefault(name, given)
        row = AttemptRow(kind="import", origin=origin, chain="", tags={**tags, **who.tags}, **values)
        if "cost_nanousd" not in values and not self._says_cost(found):
            row = self._priced(row)
        return Given(source_id, _quality(row), row)

    def _values(self, found: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str], str | None]:
        values: dict[str, Any] = {}
        tags: dict[str, str] = {}
        own_id: str | None = None
        for name, value in self._named(found):
            if value is None or value == "":
                continue
            try:
                if name == "id":
                    own_id = text(value)
                elif name.startswith(_TAG):
                    tags[name[len(_TAG) :]] = text(value)
                else:
                    column = COLUMNS[name]
                    if name.endswith("_usd") and found.get(f"{name[:-4]}_nanousd") not in (None, ""):
                        continue  # the whole number says more
                    read = column.read(value)
                    if name == "tags":
                        tags.update(read)
                    else:
                        values[column.field] = read
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        return values, tags, own_id

    def _named(self, found: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        for column in self._columns:
            yield column.ours, _at(found, column)
        mapped = {column.ours for column in self._columns}
        for name, value in found.items():
            if name in mapped or name in self._taken:
                continue
            if name in COLUMNS or name == "id" or name.startswith(_TAG):
                yield name, value
            elif (
                name not in IGNORED
                and value not in (None, "")
                and (name in self.unknown or len(self.unknown) < MAX_UNKNOWN)
            ):
                self.unknown[name] = self.unknown.get(name, 0) + 1

    def _says_cost(self, found: dict[str, Any]) -> bool:
        """A column of costs is taken at its word, an empty one too: unknown there is unknown here."""
        return any(name in found for name in COSTS) or any(column.ours in COSTS for column in self._columns)

    def _priced(self, row: AttemptRow) -> AttemptRow:
        model = row.upstream_model or row.model or row.model_reported
        if model is None or row.usage_source == "none":
            return row
        sold = self._sellers.find(model, row.provider)
        counts = {name: getattr(row, name) for name in (*TOKENS, "web_searches", "service_tier")}
        usage = Usage(source=row.usage_source, **counts)
        priced = None if sold.timeline is None else price(usage, sold.timeline, row.ts_start_ms)
        return structs.replace(
            row,
            provider=row.provider or sold.provider,
            cost_nanousd=None if priced is None else priced.cost_nanousd,
            tool_fees_nanousd=None if priced is None else priced.tool_fees_nanousd,
            rates=None if priced is None else priced.rates,
            price_version=self._sellers.version,
        )


def _quality(row: AttemptRow) -> int:
    """As the row's own reader judged it, so that a better reading of the log itself still takes its place."""
    if row.usage_source == "estimated":
        return UNKNOWN if row.tokens_in is None else ESTIMATED
    return PLAUSIBLE if UNCONFIRMED in row.usage_flags else FINAL


def _at(found: dict[str, Any], column: Mapped) -> Any:
    """The value of a mapped column: under the whole name, else along its path."""
    if column.theirs in found:
        return found[column.theirs]
    value: Any = found
    for part in column.path:
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value


def _content_id(found: dict[str, Any], seen: dict[bytes, int]) -> str:
    """A row without an id is known by what it says, and by how many before it in its file said the same."""
    digest = blake2b(msgspec.json.encode(found, order="sorted"), digest_size=16).digest()
    place = seen.get(digest, 0)
    seen[digest] = place + 1
    return f"{digest.hex()}#{place}"
