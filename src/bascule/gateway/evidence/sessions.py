"""Which sessions an incumbent has begun to serve, so that a promotion does not take them away from it.

A session that changes its model has no prompt cache with the new one, and pays for its whole context again. So those
that the incumbent is serving stay with it until they pause for longer than prompt caches last. Bounded, and of this
worker alone: one that a worker knows nothing of goes where its hash says.
"""

from collections import OrderedDict

MAX_SESSIONS = 20_000
IDLE_S = 3_600.0


class IncumbentSessions:
    def __init__(self, *, max_sessions: int = MAX_SESSIONS, idle_s: float = IDLE_S) -> None:
        self._seen_s: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._max = max_sessions
        self._idle_s = idle_s

    def note(self, route: str, session_id: str, now_s: float) -> None:
        """The incumbent serves a request of the session."""
        self._seen_s[route, session_id] = now_s
        self._seen_s.move_to_end((route, session_id))
        if len(self._seen_s) > self._max:
            self._seen_s.popitem(last=False)

    def has(self, route: str, session_id: str, now_s: float) -> bool:
        """Whether it does so since not too long ago."""
        seen_s = self._seen_s.get((route, session_id))
        return seen_s is not None and now_s - seen_s <= self._idle_s
