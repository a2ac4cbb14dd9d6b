"""Imported rows, and how often hours were written to, in dictionaries."""

from collections import Counter
from collections.abc import Iterable, Iterator

from bascule.model.errors import BasculeError
from bascule.model.imported import ImportCounts, Imported, import_id
from bascule.model.row import AttemptRow, RowFilter
from bascule.ports import HOUR_MS, HourOf


class MemoryImports:
    """Implements `ports.ImportStore`, and what a `LedgerSnapshot` says of imports. A snapshot is a copy."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Imported] = {}
        self._versions: Counter[HourOf] = Counter()

    def put(self, rows: Iterable[Imported]) -> ImportCounts:
        counts: Counter[str] = Counter()
        before: dict[tuple[str, str], Imported | None] = {}
        given = list(rows)
        for each in given:
            if not _sound(each):
                raise BasculeError(f"{each.row.attempt_id!r} is no imported row of {each.source!r}")
        for each in given:
            name = (each.source, each.source_id)
            known = self._rows.get(name)
            if known is not None and (known.quality > each.quality or known == each):
                counts["same"] += 1
                continue
            counts["new" if known is None else "replaced"] += 1
            before.setdefault(name, known)
            self._rows[name] = each
        changed = [*before.values(), *[self._rows[name] for name in before]]
        self.raise_hours({(one.source, one.row.ts_start_ms // HOUR_MS) for one in changed if one is not None})
        return ImportCounts(new=counts["new"], replaced=counts["replaced"], same=counts["same"])

    def raise_hours(self, hours: Iterable[HourOf]) -> None:
        self._versions.update(hours)

    def rows(self, where: RowFilter, by_request: bool) -> Iterator[AttemptRow]:
        found = [each.row for each in self._rows.values() if where.admits(each.row)]
        if by_request:
            found.sort(key=lambda row: (row.request_id, row.attempt_id))
        else:
            found.sort(key=lambda row: (row.ts_start_ms, row.attempt_id))
        return iter(found)

    def counts(self) -> dict[str, int]:
        return dict(Counter(source for source, _ in self._rows))

    def hour_versions(self, since_hour: int | None, until_hour: int | None) -> dict[HourOf, int]:
        return {
            (origin, hour): version
            for (origin, hour), version in self._versions.items()
            if (since_hour is None or hour >= since_hour) and (until_hour is None or hour < until_hour)
        }

    def copy(self) -> "MemoryImports":
        copy = MemoryImports()
        copy._rows = dict(self._rows)
        copy._versions = Counter(self._versions)
        return copy


def _sound(each: Imported) -> bool:
    row = each.row
    identified = row.origin == each.source and row.attempt_id == import_id(each.source, each.source_id)
    return identified and row.kind == "import" and not row.held
