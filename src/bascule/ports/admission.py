"""Who may ask, how often, and for how much."""

from typing import Protocol

from bascule.model.budget import Attribution, BudgetState, Hold
from bascule.model.errors import Refusal
from bascule.model.policy import Budget, KeyPolicy, RateLimit


class Authority(Protocol):
    """Who may spend. Reserves in all matching budgets or in none; lease-shaped, so that more workers can follow."""

    def applicable(self, attribution: Attribution, now_ms: int) -> tuple[BudgetState, ...]:
        """The budgets that match, with what is left in each; empty where none applies."""
        ...

    def reserve(
        self, attribution: Attribution, attempt_id: str, amount_nanousd: int | None, now_ms: int
    ) -> Hold | Refusal:
        """Hold `amount_nanousd` in every matching budget, or say why not (`budget_exhausted` with both figures).

        None is an unknown amount: refused (`unpriceable`) where a strict or expected budget applies.
        """
        ...

    def split(self, hold: Hold, attempt_id: str, amount_nanousd: int) -> tuple[Hold, Hold]:
        """Take a part of a hold for an attempt of its own: the part, and what is left. What is held in all stays the
        same, in the same windows, so that nothing can be refused; each of the two is settled by itself.

        Raises BasculeError where the hold is not open, or not that large.
        """
        ...

    def settle(self, hold: Hold, cost_nanousd: int | None) -> None:
        """Replace the hold by what was spent, in the windows of the hold. None settles at the hold."""
        ...

    def states(self, now_ms: int) -> tuple[BudgetState, ...]:
        """Every counter of a current window, for `budgets show`."""
        ...

    def configure(self, budgets: tuple[Budget, ...]) -> None:
        """Take a new set of budgets; counters of those that stay are kept."""
        ...


class KeyStore(Protocol):
    """Virtual keys by their secret."""

    def lookup(self, secret: bytes) -> KeyPolicy | None:
        """The key whose secret this is, or None. Constant time in the secret; never logs it."""
        ...

    @property
    def outage(self) -> str | None:
        """Why the store of keys cannot be asked just now, so that a secret which is not known here may be a good one;
        None where it can. Not for clients: it may name places."""
        ...

    @property
    def is_open(self) -> bool:
        """True where no key is configured at all: loopback's open mode."""
        ...


class RateLimiter(Protocol):
    """Rate limits of keys. Every `take` that lets a request in is followed by one `finish` or `give_back`."""

    def take(self, key: str, limit: RateLimit, tokens: int, now_s: float) -> Refusal | None:
        """None lets the request in; a 429 has `retry_after_s` and leaves everything as it was."""
        ...

    def finish(self, key: str, limit: RateLimit, taken_tokens: int, actual_tokens: int | None, now_s: float) -> None:
        """The request has ended. `actual_tokens` None: unknown, what was taken stands."""
        ...

    def give_back(self, key: str, limit: RateLimit, tokens: int, now_s: float) -> None:
        """The request was refused for another reason, so it has not counted."""
        ...
