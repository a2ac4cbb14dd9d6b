"""Which sessions' differences count now, and in which order.

Pairs of one session resemble each other, so a session is one observation: the mean of its pairs. It is open for a time
that the clock ends and no outcome can. Outcomes come late, and bad ones perhaps later than good ones; whoever counts
them as they come counts the good ones first, and promotes on those. So sessions count in the order in which they began,
each one holding back those behind it until it is whole or patience ends; then what has not come counts against the
challenger. Both rules keep the tests' guarantee whatever the lateness depends on.
"""

from collections.abc import Iterable

from msgspec import Struct


class Pair(Struct, frozen=True, kw_only=True):
    """One request that was answered by both models, as far as it is graded."""

    session_id: str
    """The request's own id where it belongs to no session."""
    enrolled_ms: int
    """When it was chosen to be compared, before anything was known of its answers."""
    difference: float | None
    """Challenger's grade less incumbent's, in [-1, 1]; None while it has not come."""
    graded_ms: int | None = None
    """When it came."""


class Patience(Struct, frozen=True, kw_only=True):
    session_ms: int = 3_600_000
    """A session takes pairs for this long after its first."""
    outcome_ms: int = 86_400_000
    """And waits so much longer for their grades."""


class Counted(Struct, frozen=True, kw_only=True):
    """One observation."""

    session_id: str
    began_ms: int
    pairs: int
    missing: int
    """Pairs whose grade did not come in time."""
    for_promotion: float
    """Mean difference, with what is missing as -1."""
    for_demotion: float | None
    """Mean of what came; None where nothing did: a judge that is down is no sign of a bad model."""


def counted(pairs: Iterable[Pair], now_ms: int, patience: Patience) -> list[Counted]:
    """The sessions that may count, oldest first, up to the first that must be waited for.

    `pairs`: all of the sessions that have not counted yet, in any order. Pairs that were enrolled after their session
    had closed are left out.
    """
    found: list[Counted] = []
    for session in _sessions(pairs):
        one = _closed(session, now_ms, patience)
        if one is None:
            break
        found.append(one)
    return found


def _sessions(pairs: Iterable[Pair]) -> list[list[Pair]]:
    """Sessions by when they began; within one the earliest pair first."""
    by_session: dict[str, list[Pair]] = {}
    for pair in sorted(pairs, key=lambda pair: (pair.enrolled_ms, pair.session_id)):
        by_session.setdefault(pair.session_id, []).append(pair)
    return list(by_session.values())


def _closed(session: list[Pair], now_ms: int, patience: Patience) -> Counted | None:
    """The session as one observation; None while it is open, or waits for grades."""
    began_ms = session[0].enrolled_ms
    closes_ms = began_ms + patience.session_ms
    if now_ms < closes_ms:
        return None
    within = [pair for pair in session if pair.enrolled_ms < closes_ms or pair is session[0]]
    ends_ms = closes_ms + patience.outcome_ms
    came = [pair.difference for pair in within if pair.difference is not None and _is_in_time(pair, ends_ms)]
    missing = len(within) - len(came)
    if missing and now_ms < ends_ms:
        return None
    return Counted(
        session_id=session[0].session_id,
        began_ms=began_ms,
        pairs=len(within),
        missing=missing,
        for_promotion=(sum(came) - missing) / len(within),
        for_demotion=sum(came) / len(came) if came else None,
    )


def _is_in_time(pair: Pair, ends_ms: int) -> bool:
    """So that what counts does not depend on when one looks."""
    return pair.graded_ms is None or pair.graded_ms < ends_ms
