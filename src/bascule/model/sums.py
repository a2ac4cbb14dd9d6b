"""Sums over ledger rows, in integers: what a group of attempts cost and consumed.

Nothing unknown counts as zero: attempts without a price are counted apart (`unpriced_attempts`), and a token bucket
that no attempt has said anything about stays None. Costs of what did not serve an answer are disjoint: what failed is
a failure whoever made it, what is left of retries a retry, what is left of judges, verifiers and shadows a helper.
The saving is net: the baseline counts once per request, for the attempt that answered it; everything else only costs.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from bascule.model.row import AttemptRow

TOKENS = (
    "tokens_in",
    "tokens_cache_read",
    "tokens_cache_write_5m",
    "tokens_cache_write_1h",
    "tokens_out",
    "tokens_reasoning",
    "tokens_audio_in",
    "tokens_audio_out",
    "tokens_image_in",
    "tokens_image_out",
)

NOT_A_FAILURE = frozenset({"client_gone", "cancelled"})
"""Error classes that say nothing about the provider: the client left, or we stopped."""

HELPERS = frozenset({"judge", "verify", "shadow"})
"""Roles whose answer no client sees."""


class Sums(Struct, kw_only=True):
    """Totals of some attempts. Money in nano-USD."""

    requests: int = 0
    failed_requests: int = 0
    """Whose answering attempt failed; a client that left is no failure."""
    attempts: int = 0
    """Upstream exchanges; cache hits are none."""
    failed_attempts: int = 0
    aborted_attempts: int = 0
    """The client left, or we stopped."""
    open_attempts: int = 0
    """Not settled yet: their cost is not in any sum here, their holds are `held_nanousd`."""
    retries: int = 0
    cache_hits: int = 0
    cost_nanousd: int | None = None
    """Of the attempts whose cost is known; None where there is none of them."""
    unpriced_attempts: int = 0
    """Settled, and their cost is not known."""
    held_nanousd: int = 0
    estimated_nanousd: int = 0
    """Of the cost: rests on estimated usage, or on a hold that recovery settled at."""
    estimated_attempts: int = 0
    failed_cost_nanousd: int = 0
    """Of attempts that failed, retries and helpers among them."""
    retry_cost_nanousd: int = 0
    """Of retries that did not fail."""
    helper_cost_nanousd: int = 0
    """Of judges, verifiers and shadows that did not fail."""
    tool_fees_nanousd: int | None = None
    adjusted_nanousd: int | None = None
    baseline_nanousd: int | None = None
    """Of the attempts that answered: the same usage at the baseline's price."""
    saved_nanousd: int | None = None
    """Net of whatever did not answer."""
    cache_saved_nanousd: int = 0
    """The part of it that hits of the exact cache saved."""
    saved_cost_nanousd: int = 0
    """The cost of the attempts whose saving is known: cost and saving together are what the baseline costs."""
    tokens_in: int | None = None
    tokens_cache_read: int | None = None
    tokens_cache_write_5m: int | None = None
    tokens_cache_write_1h: int | None = None
    tokens_out: int | None = None
    tokens_reasoning: int | None = None
    tokens_audio_in: int | None = None
    tokens_audio_out: int | None = None
    tokens_image_in: int | None = None
    tokens_image_out: int | None = None
    web_searches: int | None = None
    first_ms: int | None = None
    last_ms: int | None = None
    """Start of the first and end of the last attempt."""

    @property
    def billed_input(self) -> int:
        return (
            (self.tokens_in or 0)
            + (self.tokens_cache_read or 0)
            + (self.tokens_cache_write_5m or 0)
            + (self.tokens_cache_write_1h or 0)
        )

    @property
    def tokens(self) -> int:
        """All tokens of whatever class."""
        return sum(getattr(self, name) or 0 for name in TOKENS)

    def plus(self, other: "Sums") -> "Sums":
        """The sums of two groups that share no attempt and no request."""
        made = {name: _plus(getattr(self, name), getattr(other, name)) for name in self.__struct_fields__}
        made["first_ms"] = other.first_ms if self.first_ms is None else _least(other.first_ms, self.first_ms)
        made["last_ms"] = other.last_ms if self.last_ms is None else _most(other.last_ms, self.last_ms)
        return Sums(**made)

    def add(self, row: AttemptRow, answered: bool) -> None:
        """Count one attempt; `answered`: it is the one that answered its request. `requests` and `failed_requests`
        are counted by whoever sees whole requests."""
        if row.role == "cache":
            self.cache_hits += 1
        else:
            self.attempts += 1
        self.first_ms = _least(self.first_ms, row.ts_start_ms)
        self.last_ms = _most(self.last_ms, row.ts_end_ms or row.ts_start_ms)
        if row.role == "retry":
            self.retries += 1
        if row.kind == "intent":
            self.open_attempts += 1
            self.held_nanousd += row.hold_nanousd or 0
            return
        self._add_end(row)
        self._add_money(row, answered and row.role not in HELPERS)
        for name in TOKENS:
            count = getattr(row, name)
            if count is not None:
                setattr(self, name, (getattr(self, name) or 0) + count)
        self.web_searches = _plus(self.web_searches, row.web_searches)

    def _add_end(self, row: AttemptRow) -> None:
        if row.error_class in NOT_A_FAILURE:
            self.aborted_attempts += 1
        elif failed(row):
            self.failed_attempts += 1

    def _add_money(self, row: AttemptRow, counts: bool) -> None:
        self.tool_fees_nanousd = _plus(self.tool_fees_nanousd, row.tool_fees_nanousd)
        self.adjusted_nanousd = _plus(self.adjusted_nanousd, row.adjusted_nanousd)
        if counts:
            self.baseline_nanousd = _plus(self.baseline_nanousd, row.baseline_nanousd)
        cost = row.cost_nanousd
        if cost is None:
            self.unpriced_attempts += 1
            return
        self.cost_nanousd = (self.cost_nanousd or 0) + cost
        if row.saved_nanousd is not None:
            saved = row.saved_nanousd if counts else -cost
            self.saved_nanousd = (self.saved_nanousd or 0) + saved
            self.saved_cost_nanousd += cost
            if row.role == "cache":
                self.cache_saved_nanousd += saved
        if row.usage_source == "estimated" or row.recovered:
            self.estimated_attempts += 1
            self.estimated_nanousd += cost
        if failed(row):
            self.failed_cost_nanousd += cost
        elif row.role == "retry":
            self.retry_cost_nanousd += cost
        elif row.role in HELPERS:
            self.helper_cost_nanousd += cost


def failed(row: AttemptRow) -> bool:
    """Whether an attempt ended in an error of the provider, the network or the request."""
    if row.error_class is not None:
        return row.error_class not in NOT_A_FAILURE
    return row.status is not None and row.status >= 400


def duration_s(sums: Sums) -> float | None:
    """From the first attempt's start to the last one's end."""
    if sums.first_ms is None or sums.last_ms is None:
        return None
    return round((sums.last_ms - sums.first_ms) / 1000, 3)


_ANSWERING = frozenset({"primary", "retry", "escalation", "hedge", "worker", "cache"})


def answering(attempts: Sequence[AttemptRow]) -> AttemptRow:
    """The attempt that answered the client: the last that succeeded, else the last. Judges and shadows never do."""
    found = [row for row in attempts if row.role in _ANSWERING] or list(attempts)
    found.sort(key=lambda row: row.attempt_no)
    done = [row for row in found if row.kind != "intent" and row.error_class is None and not failed(row)]
    return (done or found)[-1]


def sums_of(attempts: Sequence[AttemptRow]) -> Sums:
    """The sums of one whole request."""
    best = answering(attempts)
    sums = Sums(requests=1, failed_requests=int(failed(best)))
    for row in attempts:
        sums.add(row, row is best)
    return sums


def _plus(total: Any, more: Any) -> Any:
    if more is None:
        return total
    return (total or 0) + more


def _least(one: int | None, other: int) -> int:
    return other if one is None else min(one, other)


def _most(one: int | None, other: int) -> int:
    return other if one is None else max(one, other)
