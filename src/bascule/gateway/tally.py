"""What all attempts of one request add up to, whichever of its calls they were made for."""

from bascule.decide.meter import bill
from bascule.gateway.books import Cost, Ended
from bascule.model.entry import Decision


class Tally:
    """Numbers, money and tokens of one request's attempts. A request that makes several calls has one of these."""

    def __init__(self, decision: Decision | None, *, attempts: int = 0) -> None:
        """`decision`: the record of the plan, which the first attempt's intent takes along. `attempts`: how many the
        request has made before."""
        self.unrecorded = decision
        """The record of the plan until it is written."""
        self.attempts = attempts
        """How many have been begun; the number of the latest."""
        self.sent = False
        """At least one attempt has gone to an upstream."""
        self.billable = False
        """Something was sent for which a provider may bill."""
        self.tokens_used = 0
        """Of all attempts so far whose use is known, if only by an estimate."""
        self.unknown_uses = 0
        """Attempts that may be billed and of which nobody has told how much they used."""
        self.cost_nanousd: int | None = 0
        """Of all attempts so far; None where that of one is unknown."""

    def next_no(self) -> int:
        """The number of an attempt that begins."""
        self.attempts += 1
        return self.attempts

    def settled(self, ended: Ended, cost: Cost) -> None:
        self.billable = self.billable or ended.ending != "failed"
        if bill(cost.usage) == "hold":
            self.unknown_uses += 1
        else:
            self.tokens_used += cost.usage.all_tokens
        known = None if self.cost_nanousd is None or cost.cost_nanousd is None else cost.cost_nanousd
        self.cost_nanousd = None if known is None or self.cost_nanousd is None else self.cost_nanousd + known

    def tokens_likely(self, expected: int) -> int:
        """All that was used; `expected` stands for each use that is not known."""
        return self.tokens_used + self.unknown_uses * expected
