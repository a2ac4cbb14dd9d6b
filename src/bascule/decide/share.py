"""A worker's side of a lease: what it may still hold, what it gives back, what it asks for. Pure; money in nano-USD."""

from msgspec import Struct

from bascule.decide.lease import Report, Standing

IDLE_MS = 1_000
"""A share from which nothing was held for so long is given back."""


class Share(Struct):
    """One worker's lease on one counter, as the worker knows it.

    `settled` and `held` are this worker's own, for its whole life. The ceiling is lowered only by `report`, which is
    called when an exchange begins, and set by `take`, when its answer is there: one exchange at a time.
    """

    ceiling_nanousd: int = 0
    answered: int = 0
    until_ms: int = 0
    """The end of its term: from then on nothing is held until the authority has answered again."""
    recall: int = 0
    quiet_until_ms: int = 0
    settled_elsewhere_nanousd: int = 0
    held_elsewhere_nanousd: int = 0
    idle_elsewhere_nanousd: int = 0
    hold_nanousd: int = 0
    """The largest hold of the second that is running."""
    last_hold_nanousd: int = 0
    last_spend_nanousd: int = 0
    second_ms: int = 0
    """When the second began that spend is being measured in."""
    second_nanousd: int = 0
    """What was settled when it began."""
    is_complete: bool = True
    """False until what this worker spent in the window before it counted has been looked up."""
    is_returning: bool = False
    """Give back what is idle: budgets have changed."""

    def report(
        self, limit_nanousd: int | None, settled_nanousd: int, held_nanousd: int, touched_ms: int, now_ms: int
    ) -> Report:
        """What to say now. What is not needed is given back here, before anybody is told so."""
        self._measure(settled_nanousd, now_ms)
        used = settled_nanousd + held_nanousd
        if self.recall > self.answered or self.is_returning or now_ms - touched_ms >= IDLE_MS:
            self.ceiling_nanousd = min(self.ceiling_nanousd, used)
            self.answered = self.recall
            self.is_returning = False
        busy = now_ms - touched_ms < IDLE_MS
        spend = max(self.last_spend_nanousd, settled_nanousd - self.second_nanousd + held_nanousd)
        return Report(
            limit_nanousd=limit_nanousd,
            settled_nanousd=settled_nanousd,
            held_nanousd=held_nanousd,
            ceiling_nanousd=self.ceiling_nanousd,
            answered=self.answered,
            spend_nanousd=spend if busy else 0,
            hold_nanousd=max(self.hold_nanousd, self.last_hold_nanousd),
        )

    def take(self, answer: Standing, until_ms: int) -> None:
        """The authority's answer to the last report."""
        self.ceiling_nanousd = answer.ceiling_nanousd
        self.recall = answer.recall
        self.quiet_until_ms = answer.quiet_until_ms
        self.until_ms = until_ms
        self.settled_elsewhere_nanousd = answer.settled_elsewhere_nanousd
        self.held_elsewhere_nanousd = answer.held_elsewhere_nanousd
        self.idle_elsewhere_nanousd = answer.idle_elsewhere_nanousd

    def is_at_rest(self, settled_nanousd: int, held_nanousd: int) -> bool:
        """Nothing is held, nothing idle, no question open: there is nothing to say until it is spent from again."""
        return not held_nanousd and self.ceiling_nanousd <= settled_nanousd and self.answered >= self.recall

    def _measure(self, settled_nanousd: int, now_ms: int) -> None:
        if now_ms - self.second_ms < 1_000:
            return
        self.last_spend_nanousd = settled_nanousd - self.second_nanousd if self.second_ms else 0
        self.last_hold_nanousd = self.hold_nanousd
        self.hold_nanousd = 0
        self.second_ms = now_ms
        self.second_nanousd = settled_nanousd
