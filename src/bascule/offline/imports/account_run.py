"""Reports of an account from their files or pages to the store: read, booked, held against what is there, put."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct, field, structs

from bascule.model.imported import ImportCounts, Imported
from bascule.model.row import AttemptRow, RowFilter
from bascule.offline.imports.account import (
    AMBIGUITIES,
    APART_TAG,
    REQUESTS_TAG,
    USAGE_ORIGINS,
    Account,
    LeftOut,
    Part,
    quality_of,
    restating,
    row_of,
    span_of,
)
from bascule.offline.imports.account_overlap import Found, Overlap, among_calls, restates_of, superseded
from bascule.offline.imports.booking import Attribution
from bascule.offline.imports.documents import objects
from bascule.offline.imports.lines import BadLine, read_blocks
from bascule.offline.imports.places import Found as Files
from bascule.offline.imports.run import Progress, Wanted
from bascule.offline.imports.sellers import Sellers
from bascule.offline.imports.tally import Tally, share_of

LONGEST_SPAN_MS = 31 * 86_400_000
SLACK_MS = 3_600_000
"""How far the beginning of a call may lie from what its provider writes down."""
NO_OVERLAP = Found(frozenset(), (), 0, 0)

Parts = Callable[[dict[str, Any]], Iterator[Part | LeftOut]]
"""What one object of a report tells. Raises ValueError."""
ProviderOf = Callable[[AttemptRow], str | None]


class Store(Protocol):
    """What an import of reports needs of the data directory."""

    def put(self, rows: Sequence[Imported]) -> ImportCounts: ...

    def attempts(self, where: RowFilter) -> Iterable[AttemptRow]: ...


class Costs(Struct, kw_only=True):
    """What the provider says that it billed."""

    rows: int = 0
    nanousd: int = 0
    first_ms: int | None = None
    last_ms: int | None = None


class Summary(Struct, kw_only=True):
    """What an import of reports found. `tally` is of usage; money in nano-USD."""

    tally: Tally = field(default_factory=Tally)
    requests: int | None = None
    """Of the rows that tell; None where none does."""
    provider_nanousd: int | None = None
    """What the provider charged, as far as rows of usage say so themselves."""
    costs: Costs = field(default_factory=Costs)
    ambiguous: dict[str, int] = field(default_factory=dict)
    """Rows of usage by what is ambiguous about their price."""
    ambiguous_nanousd: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    """Parts of reports that are no usage of tokens, by what they count."""
    excluded: int = 0
    """Rows of groups that the user says are those of known calls."""
    superseded: int = 0
    """Rows of an earlier import in another form, which do not count any more."""
    overlaps: tuple[Overlap, ...] = ()
    overlap_spans: int = 0
    overlap_nanousd: int = 0
    """What the account's reports have in the spans in which single calls are known."""


class AccountRun:
    """One import of an account's reports. `without` are groups, such as the gateway's own key, that only restate
    calls; all others are then counted whatever calls there are."""

    def __init__(
        self,
        account: Account,
        parts: Parts,
        *,
        sellers: Sellers,
        who: Attribution,
        wanted: Wanted,
        without: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.summary = Summary()
        self._account = account
        self._parts = parts
        self._sellers = sellers
        self._who = who
        self._wanted = wanted
        self._without = frozenset(without)
        self._rows: dict[str, AttemptRow] = {}
        self._excluded: dict[str, AttemptRow] = {}
        self._taken: list[list[str]] = []
        """Ids by report, in the order in which they were read."""

    def files(self, found: Files, progress: Progress | None = None) -> None:
        """Read files, the newest first: of equal readings the first stands."""
        tally = self.summary.tally
        for lost in found.unreadable:
            tally.unreadable.append(BadLine(str(lost.path), 0, lost.why))
        for file in sorted(found.files, key=lambda file: (-file.changed_ms, str(file.path))):
            try:
                items = objects(str(file.path), read_blocks(file.path, progress), is_csv=_is_csv(file.path))
                self.take(str(file.path), items)
            except OSError as error:
                tally.unreadable.append(BadLine(str(file.path), 0, error.strerror or type(error).__name__))
            else:
                tally.files += 1

    def take(self, name: str, items: Iterable[tuple[int, dict[str, Any] | BadLine]]) -> None:
        """Read one report, which may come in several objects: what it was split by is told from all of it."""
        read: list[Part] = []
        tally = self.summary.tally
        left_out: Counter[str] = Counter()
        for number, item in items:
            tally.lines += 1
            if isinstance(item, BadLine):
                tally.complain(item)
                continue
            try:
                for part in self._parts(item):
                    if isinstance(part, LeftOut):
                        left_out[part.what] += 1
                    else:
                        read.append(part)
            except ValueError as error:
                tally.complain(BadLine(name, number, str(error)))
        for what, times in left_out.items():
            self.summary.left_out[what] = self.summary.left_out.get(what, 0) + times
        groupings: dict[str, set[str]] = {}
        for part in read:
            names = groupings.setdefault(part.report, set())
            names.update(part.group)
            if part.model is not None:
                names.add("model")
        self._taken.append([])
        for part in read:
            self._add(part, ",".join(sorted(groupings[part.report])))

    def _add(self, part: Part, grouping: str) -> None:
        tally = self.summary.tally
        row = row_of(part, self._account, self._sellers, self._who, grouping)
        if not self._wanted.admits(row):
            tally.outside += 1
            return
        if self._is_excluded(part):
            self._excluded[row.attempt_id] = row
            return
        if self._without:
            row = structs.replace(row, tags={**row.tags, APART_TAG: "true"})
        known = self._rows.get(row.attempt_id)
        if known is not None:
            tally.copies += 1
            if quality_of(known) >= quality_of(row):
                return
        else:
            self._taken[-1].append(row.attempt_id)
        self._rows[row.attempt_id] = row

    def _is_excluded(self, part: Part) -> bool:
        if not self._without:
            return False
        told = set(part.group.items()) | {("key", part.key or ""), ("project", part.project or "")}
        return not self._without.isdisjoint(told)

    def finish(self, store: Store | None, provider_of: ProviderOf, *, dry_run: bool) -> Summary:
        """Judge what was read, put it, and sum it up. `store` None: there is no data directory yet. Raises
        StoreError."""
        rows = list(self._rows.values())
        known = [] if store is None else _known(store, self._account, rows)
        gone = list(superseded(known, [*rows, *self._excluded.values()]))
        usage = [row for row in rows if row.origin == self._account.usage]
        found = NO_OVERLAP
        if store is not None and not self._without:
            found = among_calls(usage, _calls(store, usage), provider_of)
        doubled = self._doubled()
        judged = [restating(row, restates_of(row, found, row.attempt_id in doubled)) for row in rows]
        judged += [restating(row, "usage") for row in gone if row.restates != "usage"]
        judged += [restating(row, row.restates or "calls") for row in self._excluded.values()]
        self.summary.excluded = len(self._excluded)
        self._sum_up([row for row in rows if row.attempt_id not in doubled], found)
        self.summary.superseded = len([row for row in gone if row.restates != "usage"]) + len(doubled)
        if store is not None and not dry_run and judged:
            done = store.put([imported(row) for row in judged])
            tally = self.summary.tally
            tally.new, tally.same = done.new, done.same
            tally.replaced = done.replaced
        return self.summary

    def _doubled(self) -> set[str]:
        """Rows of this import that a report read before them has in another form."""
        kept: list[AttemptRow] = []
        gone: set[str] = set()
        for ids in self._taken:
            rows = [self._rows[name] for name in ids]
            lost = {row.attempt_id for row in superseded(rows, kept)} if kept else set()
            gone |= lost
            kept += [row for row in rows if row.attempt_id not in lost]
        return gone

    def _sum_up(self, rows: Sequence[AttemptRow], found: Found) -> None:
        summary, tally = self.summary, self.summary.tally
        for row in sorted(rows, key=lambda row: row.ts_start_ms):
            if row.origin == self._account.costs:
                _add_cost(summary.costs, row)
                continue
            name = row.upstream_model
            priced = name is not None and self._sellers.find(name, row.provider).timeline is not None
            tally.add(share_of(row, None, has_price=priced), row)
            if (requests := row.tags.get(REQUESTS_TAG)) is not None:
                summary.requests = (summary.requests or 0) + int(requests)
            if row.provider_cost_nanousd is not None:
                summary.provider_nanousd = (summary.provider_nanousd or 0) + row.provider_cost_nanousd
            doubts = [flag for flag in row.usage_flags if flag in AMBIGUITIES]
            for flag in doubts:
                summary.ambiguous[flag] = summary.ambiguous.get(flag, 0) + 1
            if doubts:
                summary.ambiguous_nanousd += row.cost_nanousd or 0
        summary.overlaps = found.overlaps
        summary.overlap_spans = found.spans
        summary.overlap_nanousd = found.account_nanousd


def rejudged(store: Store, since_ms: int, until_ms: int, provider_of: ProviderOf) -> tuple[ImportCounts, Found]:
    """Hold the accounts' rows that are there against calls that have come since. Raises StoreError."""
    rows: list[AttemptRow] = []
    for origin in USAGE_ORIGINS:
        where = RowFilter(origin=origin, since_ms=since_ms - LONGEST_SPAN_MS, until_ms=until_ms)
        found_rows = [row for row in store.attempts(where) if row.restates != "usage" and span_of(row)[1] > since_ms]
        rows += [row for row in found_rows if APART_TAG not in row.tags]
    if not rows:
        return ImportCounts(), NO_OVERLAP
    found = among_calls(rows, _calls(store, rows), provider_of)
    changed = [restating(row, "calls") for row in rows if row.attempt_id in found.restating and row.restates is None]
    done = store.put([imported(row) for row in changed]) if changed else ImportCounts()
    return done, found


def imported(row: AttemptRow) -> Imported:
    """A row of an account, as the store takes it."""
    source_id = row.attempt_id.removeprefix(f"{row.origin}:")
    return Imported(source=row.origin, source_id=source_id, row=row, quality=quality_of(row))


def _known(store: Store, account: Account, rows: Sequence[AttemptRow]) -> list[AttemptRow]:
    if not rows:
        return []
    since_ms, until_ms = _period(rows)
    known: list[AttemptRow] = []
    for origin in (account.usage, account.costs):
        known += store.attempts(RowFilter(origin=origin, since_ms=since_ms - LONGEST_SPAN_MS, until_ms=until_ms))
    return known


def _calls(store: Store, rows: Sequence[AttemptRow]) -> Iterable[AttemptRow]:
    if not rows:
        return ()
    since_ms, until_ms = _period(rows)
    return store.attempts(RowFilter(since_ms=since_ms - SLACK_MS, until_ms=until_ms + SLACK_MS))


def _period(rows: Sequence[AttemptRow]) -> tuple[int, int]:
    spans = [span_of(row) for row in rows]
    return min([start for start, _ in spans]), max([end for _, end in spans])


def _add_cost(costs: Costs, row: AttemptRow) -> None:
    costs.rows += 1
    costs.nanousd += row.cost_nanousd or 0
    costs.first_ms = row.ts_start_ms if costs.first_ms is None else min(costs.first_ms, row.ts_start_ms)
    costs.last_ms = row.ts_start_ms if costs.last_ms is None else max(costs.last_ms, row.ts_start_ms)


def _is_csv(path: Path) -> bool:
    return path.suffix.lower() == ".csv"
