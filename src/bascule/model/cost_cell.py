"""What a group of attempts cost, and nothing else of it: for what is computed of costs alone."""

from msgspec import Struct


class CostCell(Struct, frozen=True):
    """The cost of one combination of dimensions' values."""

    values: tuple[str | None, ...]
    """One for each dimension asked for."""
    cost_nanousd: int | None
    """Of the attempts whose cost is known; None where there is none of them."""
    unpriced_attempts: int
    """Settled, and their cost is not known."""
