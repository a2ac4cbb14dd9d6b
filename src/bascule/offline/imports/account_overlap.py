"""The same money in several reports is counted once: which rows of an account only restate others. Pure.

The rule, from the finest to the coarsest:

1. Single calls count: the gateway's, agents' logs, other gateways' spend.
2. A provider's report of usage counts where there is no call of that provider within its span. Calls that people made
   on a plan are no calls of an account, whose reports do not have them.
3. Of two reports of the same span in different forms (by day and by hour, by model alone and by key, by call) the one
   that was read last counts.
4. What a provider says that it billed never counts beside its usage; it is there to be compared with.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct

from bascule.model.row import AttemptRow, Restates
from bascule.offline.imports.account import CALL, COST_ORIGINS, SPAN_TAG, USAGE_ORIGINS, form_of, span_of

Span = tuple[int, int]


class Overlap(Struct, kw_only=True):
    """Calls of one origin that an account's report has as well. Money in nano-USD at list price."""

    provider: str
    origin: str
    """Of the calls: `gateway`, `claude-code`, …"""
    calls: int = 0
    calls_nanousd: int = 0
    unpriced_calls: int = 0
    first_ms: int
    last_ms: int


class Found(Struct, frozen=True):
    """Ids of rows of usage that restate calls, what those calls are, and what the rows of their spans come to."""

    restating: frozenset[str]
    overlaps: tuple[Overlap, ...]
    spans: int
    account_nanousd: int


def among_calls(
    rows: Sequence[AttemptRow], calls: Iterable[AttemptRow], provider_of: Callable[[AttemptRow], str | None]
) -> Found:
    """Hold an account's rows of usage against single calls of the same provider, in any order.

    `provider_of` says whose account a call is on, None where it is on a plan.
    """
    by_provider: dict[str, list[Span]] = {}
    for row in rows:
        by_provider.setdefault(row.provider or "", []).append(span_of(row))
    watched = {provider: _Spans(spans) for provider, spans in by_provider.items()}
    named: set[str] = set()
    overlaps: dict[tuple[str, str], Overlap] = {}
    ids = {row.upstream_request_id for row in rows if row.tags.get(SPAN_TAG) == CALL}
    for call in calls:
        if call.role == "cache" or call.origin in USAGE_ORIGINS or call.origin in COST_ORIGINS:
            continue
        provider = provider_of(call)
        spans = None if provider is None else watched.get(provider)
        if provider is None or spans is None:
            continue
        if call.upstream_request_id is not None and call.upstream_request_id in ids:
            named.add(call.upstream_request_id)
        elif not spans.hit(call.ts_start_ms):
            continue
        _count(overlaps, call, provider)
    restating = [row for row in rows if row.upstream_request_id in named or watched[row.provider or ""].was_hit(row)]
    return Found(
        frozenset({row.attempt_id for row in restating}),
        tuple(overlaps[key] for key in sorted(overlaps)),
        len({(row.provider, span_of(row)) for row in restating}),
        sum([row.cost_nanousd or 0 for row in restating]),
    )


class _Spans:
    """Spans of an account's report, and which of them a call fell into. Spans of one call hold that call alone."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._spans = sorted(set(spans))
        self._starts = [start for start, _ in self._spans]
        self._longest_ms = max([end - start for start, end in self._spans], default=0)
        self._hit: set[Span] = set()

    def hit(self, at_ms: int) -> bool:
        found = False
        place = bisect_right(self._starts, at_ms)
        for start, end in self._spans[_first(self._starts, at_ms - self._longest_ms) : place]:
            if at_ms < end and end - start > 1:
                self._hit.add((start, end))
                found = True
        return found

    def was_hit(self, row: AttemptRow) -> bool:
        return span_of(row) in self._hit


def superseded(known: Iterable[AttemptRow], new: Sequence[AttemptRow]) -> Iterator[AttemptRow]:
    """Rows that were there, whose spans a new reading of another form has as well."""
    ids = {row.attempt_id for row in new}
    forms: dict[str, set[tuple[str, str, str]]] = {}
    for row in new:
        forms.setdefault(row.origin, set()).add(form_of(row))
    spans = {origin: _Merged([span_of(row) for row in new if row.origin == origin]) for origin in forms}
    for row in known:
        others = forms.get(row.origin)
        if others is None or row.attempt_id in ids or form_of(row) in others:
            continue
        if any(_same_subject(form_of(row), other) for other in others) and spans[row.origin].meets(span_of(row)):
            yield row


def _same_subject(one: tuple[str, str, str], other: tuple[str, str, str]) -> bool:
    """Completions and embeddings are different usage; days of activity and single generations are the same."""
    return one[0] == other[0] or CALL in (one[1], other[1])


class _Merged:
    """The union of spans."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(set(spans)):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def meets(self, span: Span) -> bool:
        place = bisect_right(self._starts, span[1] - 1) - 1
        return place >= 0 and self._ends[place] > span[0]


def restates_of(row: AttemptRow, found: Found, is_superseded: bool) -> Restates | None:
    """What a row of an account restates by these rules."""
    if row.origin in COST_ORIGINS or is_superseded:
        return "usage"
    return "calls" if row.attempt_id in found.restating else None


def _count(overlaps: dict[tuple[str, str], Overlap], call: AttemptRow, provider: str) -> None:
    key = (provider, call.origin)
    one = overlaps.get(key)
    if one is None:
        one = overlaps[key] = Overlap(
            provider=key[0], origin=key[1], first_ms=call.ts_start_ms, last_ms=call.ts_start_ms
        )
    one.calls += 1
    one.first_ms = min(one.first_ms, call.ts_start_ms)
    one.last_ms = max(one.last_ms, call.ts_start_ms)
    if call.cost_nanousd is None:
        one.unpriced_calls += 1
    else:
        one.calls_nanousd += call.cost_nanousd


def _first(starts: list[int], at_ms: int) -> int:
    return max(bisect_right(starts, at_ms) - 1, 0)
