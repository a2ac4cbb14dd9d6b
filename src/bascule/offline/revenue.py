"""What units of a business bring in: a file of amounts, read exactly, with every mistake by its line.

A row names a `unit` or a `plan`, and either `usd` (with `month` what came in then, without it in the whole period
that is looked at) or `usd_per_month`, a price. CSV has these as columns; YAML as `revenue: [{unit: …, usd: …}, …]`.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from msgspec import Struct

from bascule.config.decode import decode
from bascule.config.document import parse
from bascule.config.places import Places
from bascule.config.scalars import Unreadable, usd
from bascule.decide.window import span, span_of
from bascule.model.errors import ConfigError, Problem

COLUMNS = ("unit", "plan", "usd", "usd_per_month", "month")


class RowShape(Struct, frozen=True, kw_only=True):
    unit: str | None = None
    plan: str | None = None
    usd: str | None = None
    usd_per_month: str | None = None
    month: str | None = None


class RevenueShape(Struct, frozen=True, kw_only=True):
    revenue: tuple[RowShape, ...] = ()


class Amount(Struct, frozen=True, kw_only=True):
    nanousd: int
    month: str | None = None
    """When it came in; None is in the period that is looked at, or each month."""
    each_month: bool = False


class Revenue(Struct, frozen=True, kw_only=True):
    units: dict[str, tuple[Amount, ...]]
    plans: dict[str, tuple[Amount, ...]]
    """Of one unit on that plan."""

    def of_unit(self, name: str, plan: str | None, since_ms: int, until_ms: int) -> int | None:
        """What a unit brought in within the period, in nano-USD: its own amounts, else its plan's. None is unknown."""
        found = self.units.get(name)
        if found is None and plan is not None:
            found = self.plans.get(plan)
        return None if found is None else within(found, since_ms, until_ms)


def within(amounts: Iterable[Amount], since_ms: int, until_ms: int) -> int:
    """What falls into [since, until), in nano-USD; of a month that the period cuts, that part of its amount."""
    parts = months_within(since_ms, until_ms)
    total = Fraction(0)
    for amount in amounts:
        if amount.each_month:
            total += amount.nanousd * sum(parts.values())
        elif amount.month is not None:
            total += amount.nanousd * parts.get(amount.month, Fraction(0))
        else:
            total += amount.nanousd
    return round(total)


def months_within(since_ms: int, until_ms: int) -> dict[str, Fraction]:
    """The calendar months of a period, and which part of each lies within it."""
    found: dict[str, Fraction] = {}
    at_ms = since_ms
    while at_ms < until_ms:
        month = span("month", at_ms)
        end_ms = until_ms if month.end_ms is None else month.end_ms
        found[month.id] = Fraction(min(end_ms, until_ms) - at_ms, end_ms - month.start_ms)
        at_ms = end_ms
    return found


def read_revenue(text: str, file: str) -> Revenue:
    """The amounts of a file; *.yaml, *.yml and *.json are YAML, all others CSV. Raises ConfigError."""
    if file.lower().endswith((".yaml", ".yml", ".json")):
        places = Places(file)
        node, syntax = parse(text, file)
        shape, problems = decode(node, RevenueShape, places)
        rows = [(places.where(("revenue", index)), row) for index, row in enumerate(shape.revenue)]
        problems = (*syntax, *problems)
    else:
        rows, problems = _csv_rows(text, file)
    reader = _Reader(list(problems))
    for where, row in rows:
        reader.row(where, row)
    if not rows and not reader.problems:
        reader.wrong(file, "has no amounts", "Write rows of unit and usd, or of unit and usd_per_month")
    if reader.problems:
        raise ConfigError(tuple(reader.problems))
    return Revenue(units=_joined(reader.units), plans=_joined(reader.plans))


def _csv_rows(text: str, file: str) -> tuple[list[tuple[str, RowShape]], tuple[Problem, ...]]:
    reader = csv.reader(io.StringIO(text), skipinitialspace=True)
    header = [name.strip().lower() for name in next(reader, [])]
    unknown = [name for name in header if name not in COLUMNS]
    if not header or unknown or len(set(header)) != len(header):
        what = f"has a column {unknown[0]!r}" if unknown else "does not begin with the names of its columns, each once"
        mend = f"The first line names columns of these: {', '.join(COLUMNS)}"
        return [], (Problem(f"{file}:1", what, mend),)
    return list(_csv_lines(reader, header, file)), ()


def _csv_lines(reader: Iterator[list[str]], header: list[str], file: str) -> Iterator[tuple[str, RowShape]]:
    line = 2
    for cells in reader:
        where = f"{file}:{line}"
        line = getattr(reader, "line_num", line) + 1
        if not any(cell.strip() for cell in cells) or cells[0].startswith("#"):
            continue
        named = dict(zip(header, [cell.strip() or None for cell in cells], strict=False))
        if len(cells) > len(header):
            # Told below as an amount that cannot be read: 1,200 without quotes is two cells.
            named["usd"] = ",".join(cells[len(header) - 1 :])
        yield where, RowShape(**named)


class _Reader:
    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        self.units: dict[str, list[Amount]] = {}
        self.plans: dict[str, list[Amount]] = {}

    def wrong(self, where: str, what: str, mend: str) -> None:
        self.problems.append(Problem(where, what, mend))

    def row(self, where: str, row: RowShape) -> None:
        name = row.unit or row.plan
        if name is None or (row.unit and row.plan):
            self.wrong(where, "does not say whose it is", "Give it a `unit`, or a `plan` for all that are on it")
            return
        if (row.usd is None) == (row.usd_per_month is None):
            self.wrong(where, f"`{name}` has no one amount", "Give it `usd`, or `usd_per_month`; 0 where it is free")
            return
        amount = self.amount(where, row, name)
        if amount is None:
            return
        amounts = (self.units if row.unit else self.plans).setdefault(name, [])
        if amount.each_month and any(other.each_month for other in amounts):
            self.wrong(where, f"`{name}` has a second price a month", "Keep one, or write `usd` with `month`")
        amounts.append(amount)

    def amount(self, where: str, row: RowShape, name: str) -> Amount | None:
        text = row.usd if row.usd is not None else row.usd_per_month
        try:
            nanousd = usd(text or "")
        except Unreadable as error:
            mend = "Write a plain decimal such as 1200.50: no currency sign, no separator of thousands"
            self.wrong(where, f"the amount of `{name}` is {error.what}", mend)
            return None
        if row.month is None:
            return Amount(nanousd=nanousd, each_month=row.usd is None)
        if row.usd is None:
            self.wrong(where, f"`{name}` has a price a month and a month", "Write `usd` with `month`, or leave it out")
            return None
        if not _is_month(row.month):
            self.wrong(where, f"`{row.month}` is not a month", "Write it as 2026-11")
            return None
        return Amount(nanousd=nanousd, month=row.month)


def _is_month(text: str) -> bool:
    try:
        return span_of(text).window == "month"
    except ValueError:
        return False


def _joined(found: Mapping[str, list[Amount]]) -> dict[str, tuple[Amount, ...]]:
    return {name: tuple(amounts) for name, amounts in found.items()}
