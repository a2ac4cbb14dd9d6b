"""Calls that went through the gateway stand in its ledger and in the agent's own log: they are counted once."""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable

from bascule.model.imported import import_id
from bascule.model.row import GATEWAY, AttemptRow

CLOCK_SLACK_MS = 2_000
"""The agent writes its line a little after the gateway has finished, and clocks differ a little."""
MAX_REMEMBERED = 1_000
"""Sessions; files of one session are read together."""


class ThroughGateway:
    """Tells whether the ledger has a call already: an attempt of the same session, during which the call ended.

    `attempts_of` gives the ledger's rows of a session. A client that has spoken to the gateway in one half of a session
    and directly to the provider in the other is so told apart.
    """

    def __init__(self, attempts_of: Callable[[str], Iterable[AttemptRow]]) -> None:
        self._attempts_of = attempts_of
        self._spans: dict[str, tuple[list[int], list[int]]] = {}

    def has(self, row: AttemptRow) -> bool:
        if row.session_id is None:
            return False
        starts, ends = self._of(row.session_id)
        if not starts:
            return False
        at_ms = row.ts_start_ms if row.ts_end_ms is None else row.ts_end_ms
        place = bisect_right(starts, at_ms + CLOCK_SLACK_MS)
        return place > 0 and at_ms <= ends[place - 1] + CLOCK_SLACK_MS

    def _of(self, session_id: str) -> tuple[list[int], list[int]]:
        found = self._spans.get(session_id)
        if found is None:
            if len(self._spans) >= MAX_REMEMBERED:
                self._spans.clear()
            found = self._spans[session_id] = _spans(self._attempts_of(session_id))
        return found


class OwnRows:
    """Tells whether a row of another program's file is one of the ledger's own, exported: by its attempt's name.

    `known_attempts` says which of these the store has.
    """

    def __init__(self, source: str, known_attempts: Callable[[Collection[str]], set[str]]) -> None:
        self._prefix = import_id(source, "")
        self._known_attempts = known_attempts

    def has(self, row: AttemptRow) -> bool:
        name = row.attempt_id
        return name.startswith(self._prefix) and bool(self._known_attempts([name.removeprefix(self._prefix)]))


def _spans(rows: Iterable[AttemptRow]) -> tuple[list[int], list[int]]:
    """Starts in order, and for each the latest end of it and all before."""
    spans = sorted([(row.ts_start_ms, row.ts_end_ms or row.ts_start_ms) for row in rows if row.origin == GATEWAY])
    starts, ends = [], []
    latest = 0
    for start_ms, end_ms in spans:
        latest = max(latest, end_ms)
        starts.append(start_ms)
        ends.append(latest)
    return starts, ends
