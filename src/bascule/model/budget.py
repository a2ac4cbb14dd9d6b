"""Who pays, what is held, and what is left."""

from msgspec import Struct

from bascule.model.entry import HeldScope
from bascule.model.policy import BudgetMode, OnExhausted


class Attribution(Struct, frozen=True, kw_only=True):
    """Who a request is charged to. Scopes from the key are a security boundary, those from headers attribution."""

    key: str | None = None
    org: str | None = None
    team: str | None = None
    project: str | None = None
    user: str | None = None
    session_id: str | None = None
    tags: dict[str, str] = {}


class Hold(Struct, frozen=True, kw_only=True):
    """Money set aside for one attempt, in every budget that applies."""

    attempt_id: str
    amount_nanousd: int | None
    """None is an unknown amount: possible only where no budget can refuse."""
    held: tuple[HeldScope, ...]


class BudgetState(Struct, frozen=True, kw_only=True):
    """One budget in one window. `left_nanousd` is negative where an `expected` or `warn` budget is overspent."""

    scope: str
    window_id: str
    mode: BudgetMode
    limit_nanousd: int
    settled_nanousd: int
    held_nanousd: int
    """By attempts that are in flight."""
    idle_nanousd: int = 0
    """Of what is left, lying ready with one worker or another; it is asked back where it is needed elsewhere."""
    reserved_nanousd: int = 0
    """Of the limit, kept back from this request for sessions that are already running (`finish_session`)."""
    on_exhausted: OnExhausted = "refuse"

    @property
    def left_nanousd(self) -> int:
        return self.limit_nanousd - self.settled_nanousd - self.held_nanousd - self.reserved_nanousd
