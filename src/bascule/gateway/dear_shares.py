"""How many of each key's and session's requests went to dear models: state around the pure `decide.dear`.

In the memory of one worker: a restart, or another worker, grants a burst anew. Sessions are named by clients, so what
is kept of them is bounded and may be forgotten; keys are the operator's, and their allowance holds whatever sessions
a client makes up.
"""

from bascule.decide.dear import after_dear, after_request, allows, opening
from bascule.model.policy import DearCap, RoutePolicy

MAX_KEYS = 100_000
MAX_SESSIONS = 10_000
"""Beyond either the one that was not heard of for the longest is forgotten."""

_Place = tuple[str, ...]


class DearShares:
    """Allowances by route and key, and by route, key and session. Written by the event loop only."""

    def __init__(self, max_keys: int = MAX_KEYS, max_sessions: int = MAX_SESSIONS) -> None:
        self._most = {"key": max_keys, "session": max_sessions}
        self._left_ppm: dict[str, dict[_Place, int]] = {"key": {}, "session": {}}

    def spent(self, policy: RoutePolicy, key: str, session: str | None) -> str | None:
        """Why a request may not go to a dear model; None: it may. A request without a session has its key's share."""
        cap = policy.dear
        if cap is None:
            return None
        for kind, share, place in _places(cap, policy.name, key, session):
            if not allows(self._left_ppm[kind].get(place, opening(cap))):
                return f"the {kind}'s share of dear requests ({share:.0%}) is used up"
        return None

    def count(self, policy: RoutePolicy, key: str, session: str | None, *, dear: bool) -> None:
        """A request was planned; `dear`: its first candidate is dear."""
        cap = policy.dear
        if cap is None:
            return
        for kind, share, place in _places(cap, policy.name, key, session):
            kept = self._left_ppm[kind]
            left = kept.pop(place, opening(cap))
            # Spent first: what a full allowance would earn is lost, and a dear request makes room.
            kept[place] = after_request(after_dear(left) if dear else left, share, cap)
            if len(kept) > self._most[kind]:
                del kept[next(iter(kept))]

    def charge(self, policy: RoutePolicy, key: str, session: str | None) -> None:
        """A dear model is asked beyond what was planned: after a failure, or by a strategy."""
        cap = policy.dear
        if cap is None:
            return
        for kind, _, place in _places(cap, policy.name, key, session):
            kept = self._left_ppm[kind]
            kept[place] = after_dear(kept.get(place, opening(cap)))
            if len(kept) > self._most[kind]:
                del kept[next(iter(kept))]


def _places(cap: DearCap, route: str, key: str, session: str | None) -> list[tuple[str, float, _Place]]:
    found: list[tuple[str, float, _Place]] = []
    if cap.key_share is not None:
        found.append(("key", cap.key_share, (route, key)))
    if cap.session_share is not None and session is not None:
        found.append(("session", cap.session_share, (route, key, session)))
    return found
