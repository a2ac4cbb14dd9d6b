"""A strict budget in virtual time: what is under way is held at its worst case until it is settled."""

from collections import deque

from bascule.decide.budget import fits

UNDER_WAY = 64
"""Requests at once: each is settled when so many later ones have begun."""


class Purse:
    """In nano-USD."""

    def __init__(self, limit_nanousd: int) -> None:
        self.limit_nanousd = limit_nanousd
        self.settled_nanousd = 0
        self.refused = 0
        self._held_nanousd = 0
        self._under_way: deque[tuple[int, int]] = deque()

    def pay(self, hold_nanousd: int, cost_nanousd: int) -> bool:
        """Whether the request may be sent; its cost is settled later."""
        while len(self._under_way) >= UNDER_WAY:
            self._settle()
        while self._under_way and not self._fits(hold_nanousd):
            self._settle()
        if not self._fits(hold_nanousd):
            self.refused += 1
            return False
        self._held_nanousd += hold_nanousd
        self._under_way.append((hold_nanousd, cost_nanousd))
        return True

    @property
    def overspent_nanousd(self) -> int:
        while self._under_way:
            self._settle()
        return max(0, self.settled_nanousd - self.limit_nanousd)

    def _fits(self, hold_nanousd: int) -> bool:
        return fits(self.settled_nanousd, self._held_nanousd, hold_nanousd, self.limit_nanousd, "strict")

    def _settle(self) -> None:
        held, cost = self._under_way.popleft()
        self._held_nanousd -= held
        self.settled_nanousd += cost
