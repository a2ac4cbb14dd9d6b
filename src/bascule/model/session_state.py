"""What routing remembers of a session between its requests."""

from msgspec import Struct


class SessionState(Struct, frozen=True, kw_only=True):
    """A session as its last answered request left it. In the memory of one worker; None in its place is unknown."""

    model: str
    endpoint_id: str
    turns: int
    """Requests answered so far."""
    last_ms: int
    """When the last one was sent."""
    cached_tokens: int
    """Of its prompt that are likely to lie in the endpoint's cache; 0 where nothing says so."""
    lifetime_s: int
    """How long they stay there without being read."""

    def warm_tokens(self, now_ms: int) -> int:
        """Of the next prompt that a cache still holds."""
        return self.cached_tokens if now_ms - self.last_ms <= self.lifetime_s * 1_000 else 0


class SessionChoice(Struct, frozen=True, kw_only=True):
    """Stay or move, with the numbers that decided."""

    stays: bool
    model: str
    """Who answers."""
    stay_nanousd: int | None
    """The rest of the session where it is; None where a price is unknown."""
    move_nanousd: int | None
    """The same at the best other candidate, its cold first prompt included; None where there is no other."""
    turns_left: float
    """Expected after this one."""
