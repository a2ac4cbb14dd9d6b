"""What a period was billed for, as a bridge between two bills needs it. Money in nano-USD."""

from msgspec import Struct

from bascule.model.money import Rates


class BilledCell(Struct, frozen=True, kw_only=True):
    """Attempts of one period that share model, rates and whether their answer was used; all are sums."""

    provider: str | None
    model: str | None
    answers: bool
    """Whether these attempts answered their requests; those of judges and verifiers count as answering: they are
    work that was ordered, not work that was lost."""
    rates: Rates | None
    """None where a cost is known and its rates are not: then every token of the cell cost the same."""
    tokens: dict[str, int]
    """By bucket, of attempts whose cost is known."""
    cost_nanousd: int
    """Of attempts whose cost is known."""
    unknown: int = 0
    """Attempts whose cost is not known."""
    unknown_tokens: dict[str, int] = {}
    """By bucket, of those."""


class BilledPeriod(Struct, frozen=True, kw_only=True):
    """One period's bill."""

    users: int
    """Distinct users, or keys where no user is named."""
    sessions: int
    """Distinct sessions; a request outside any session is one of its own."""
    cells: tuple[BilledCell, ...]
    attempts: int = 0
    """All that are settled."""
    without_user: int = 0
    """Attempts that name neither a user nor a key."""
    without_session: int = 0

    @property
    def cost_nanousd(self) -> int:
        """Of what has a known cost."""
        return sum(cell.cost_nanousd for cell in self.cells)

    @property
    def is_unknown(self) -> bool:
        """There is use, and of none of it the cost is known."""
        return self.attempts > 0 and self.unknown == self.attempts

    @property
    def unknown(self) -> int:
        return sum(cell.unknown for cell in self.cells)
