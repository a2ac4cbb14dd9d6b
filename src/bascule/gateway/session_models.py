"""Which model serves which session, and how long sessions last: state around `decide.stickiness` and
`decide.remaining`.

In the memory of one worker and lost with it; a session that is not known here is one of which nothing is known.
"""

from bascule.decide.remaining import TURNS, Lengths, expectations, no_lengths
from bascule.gateway.admission import Admitted
from bascule.gateway.books import OpenAttempt
from bascule.model.session_state import SessionState
from bascule.model.usage import Usage

MAX_SESSIONS = 10_000
"""Beyond it those that were not heard of for the longest are forgotten."""
ENDED_AFTER_MS = 3_600_000
"""A session that was silent for so long has ended: later than that no cache waits for it."""
LEAST_CACHED_TOKENS = 1_024
"""Where a provider caches by itself, shorter prompts are not cached (OpenAI's and Gemini's documented least)."""
LOOKED_AT_AGAIN = 64
"""Requests after which the expected turns are worked out anew: one look is dear, and one request changes little."""
SHORT_S, LONG_S = 300, 3_600

Place = tuple[str, str, str | None]
"""Key, session and agent: a subagent has a prompt of its own."""


class SessionModels:
    """Sessions by who serves them. Written by the event loop only."""

    def __init__(self, max_sessions: int = MAX_SESSIONS) -> None:
        self._max_sessions = max_sessions
        self._sessions: dict[Place, SessionState] = {}
        self._lengths: Lengths = no_lengths()
        self._expected: list[float] = []
        self._unseen = 0
        """Requests since `_expected` was worked out."""

    def of(self, request: Admitted) -> SessionState | None:
        """None where the request has no session, or one that is not known here or has ended."""
        place = _place(request)
        found = None if place is None else self._sessions.get(place)
        return None if found is None or request.started_ms - found.last_ms > ENDED_AFTER_MS else found

    def turns_left(self, turn: int) -> float:
        """Requests to be expected after a session's `turn`-th, as of at most `LOOKED_AT_AGAIN` requests ago."""
        if self._unseen >= LOOKED_AT_AGAIN or not self._expected:
            self._expected, self._unseen = expectations(self._lengths), 0
        return self._expected[min(max(turn, 1), TURNS)]

    def observe(self, request: Admitted, attempt: OpenAttempt, usage: Usage) -> None:
        """A request of a session was answered."""
        place = _place(request)
        if place is None:
            return
        self._bury(attempt.started_ms)
        before = self._sessions.pop(place, None)
        turns = 1 if before is None else before.turns + 1
        self._unseen += 1
        if before is not None:
            self._lengths.went_on[min(before.turns, TURNS)] += 1
        cached, lifetime_s = _cached(attempt, usage)
        self._sessions[place] = SessionState(
            model=attempt.candidate.model,
            endpoint_id=attempt.candidate.endpoint.id,
            turns=turns,
            last_ms=attempt.started_ms,
            cached_tokens=cached,
            lifetime_s=lifetime_s,
        )
        if len(self._sessions) > self._max_sessions:
            del self._sessions[next(iter(self._sessions))]  # it may go on elsewhere: no length is learnt from it

    def _bury(self, now_ms: int) -> None:
        """Sessions that have ended, the oldest first."""
        while self._sessions:
            place = next(iter(self._sessions))
            state = self._sessions[place]
            if now_ms - state.last_ms <= ENDED_AFTER_MS:
                return
            del self._sessions[place]
            self._lengths.ended[min(state.turns, TURNS)] += 1


def _place(request: Admitted) -> Place | None:
    identity = request.identity
    return None if identity.session_id is None else (request.key.name, identity.session_id, identity.agent_id)


def _cached(attempt: OpenAttempt, usage: Usage) -> tuple[int, int]:
    """(tokens of the prompt that lie in the provider's cache now, how many seconds they stay). What it does not report
    is not counted as cached: then moving looks cheap, which it is where nothing is cached."""
    if usage.source != "reported" or usage.tokens_cache_read is None:
        return 0, SHORT_S
    written_1h, written_5m = usage.tokens_cache_write_1h or 0, usage.tokens_cache_write_5m or 0
    lifetime_s = LONG_S if written_1h > 0 else SHORT_S
    if "anthropic" in attempt.candidate.endpoint.dialect:
        return usage.tokens_cache_read + written_5m + written_1h, lifetime_s
    input_tokens = usage.billed_input
    return (input_tokens if input_tokens is not None and input_tokens >= LEAST_CACHED_TOKENS else 0), lifetime_s
