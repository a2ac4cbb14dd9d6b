"""Rate limits of keys, kept in this process. The arithmetic is `decide.admit`."""

from bascule.decide.admit import IDLE, RateState, finish, give_back, is_limited, take
from bascule.model.errors import Refusal
from bascule.model.policy import RateLimit


class RateLimiter:
    """What each key has used lately. Every `take` that lets a request in is followed by one `finish` or `give_back`
    with the same limit and tokens. `max_keys` bounds how many idle keys are remembered."""

    def __init__(self, max_keys: int = 10_000) -> None:
        self._max_keys = max_keys
        self._states: dict[str, RateState] = {}

    def take(self, key: str, limit: RateLimit, tokens: int, now_s: float) -> Refusal | None:
        """None lets the request in; a 429 has `retry_after_s` and leaves everything as it was."""
        if not is_limited(limit):
            return None
        state = self._states.get(key)
        if state is None:
            if len(self._states) >= self._max_keys:
                self._forget_idle(now_s)
            state = IDLE
        after = take(limit, state, tokens, now_s)
        if isinstance(after, Refusal):
            return after
        self._states[key] = after
        return None

    def finish(self, key: str, limit: RateLimit, taken_tokens: int, actual_tokens: int | None, now_s: float) -> None:
        """The request has ended. `actual_tokens` None: unknown, what was taken stands."""
        state = self._states.get(key)
        if state is not None and is_limited(limit):
            self._states[key] = finish(limit, state, taken_tokens, actual_tokens, now_s)

    def give_back(self, key: str, limit: RateLimit, tokens: int, now_s: float) -> None:
        """The request was refused for another reason, so it has not counted."""
        state = self._states.get(key)
        if state is not None and is_limited(limit):
            self._states[key] = give_back(limit, state, tokens, now_s)

    def in_flight(self, key: str) -> int:
        return self._states.get(key, IDLE).in_flight

    def _forget_idle(self, now_s: float) -> None:
        """Drop keys that nothing is in flight for and whose minute is over; they are as good as new."""
        self._states = {k: s for k, s in self._states.items() if s.in_flight or now_s - s.at_s < 60}
