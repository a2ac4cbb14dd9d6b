"""What a group of attempts cost, and nothing else of it: for what is computed of costs alone."""

from msgspec import Struct


class Cover(Struct, frozen=True, kw_only=True):
    """Which use something applies to, such as a contract."""

    provider: str
    names: tuple[str, ...] = ()
    """Clients or models; empty for all of the provider."""
    by_user: bool = False
    """Whose use it is matters."""

    def admits(self, provider: str | None, client: str | None, model: str | None) -> bool:
        if provider is None:
            # A log whose model nobody is known to sell: still the use of a client that the seats are for.
            return self.by_user and client is not None and client in self.names
        return provider == self.provider and (not self.names or client in self.names or model in self.names)


class CostCell(Struct, frozen=True):
    """The cost of one combination of dimensions' values, and of what covers it."""

    values: tuple[str | None, ...]
    """One for each dimension asked for."""
    cost_nanousd: int | None
    """Of the attempts whose cost is known; None where there is none of them."""
    unpriced_attempts: int
    """Settled, and their cost is not known."""
    covered: int = 0
    """The covers asked for that admit it, as bits: the first is 1, the second 2."""
    user: str | None = None
    """Where a cover by user admits it."""
    on_plan: bool = False
    """An agent's log says that it was used on a subscription."""
