"""Budgets that several workers share: the authority that they borrow from, and how the engine waits for it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from bascule.decide.lease import Need, Report, Standing, Verdict
from bascule.model.budget import Attribution, Hold
from bascule.model.errors import Refusal

CounterId = tuple[str, str]
"""(concrete scope, window_id)."""


class Holder(Struct, frozen=True):
    """A worker that is enrolled: named as the chain that it writes."""

    name: str
    replica: str
    """Whose disk its journal lies on: only there can somebody tell whether it is dead, and what it has spent."""
    until_ms: int
    """The end of its term; it is set anew by every exchange."""


class Counted(Struct, frozen=True):
    """An account and what is said of it in one exchange."""

    counter: CounterId
    report: Report
    opening_nanousd: int | None = None
    """Where there is no such account yet: what chains that nobody writes any more have spent. None: not known."""


class Exchanged(Struct, frozen=True):
    """The authority's answer; `standings` in the order of what was reported."""

    standings: tuple[Standing | None, ...]
    """None where there is no such account and no opening was given. Nothing at all was done then."""
    verdicts: tuple[Verdict, ...]


class LeaseStore(Protocol):
    """The authority of several workers. Every call is one transaction, made in any thread, and raises StoreError."""

    def enrol(self, holder: Holder) -> None:
        """Before the worker's first line is written."""
        ...

    def holders(self) -> list[Holder]: ...

    def exchange(
        self, holder: Holder, turn: int, counted: Sequence[Counted], needs: Sequence[Need], now_ms: int
    ) -> Exchanged:
        """Take reports, grant what is needed, prolong the term. `turn` grows with every call of a worker: one that
        comes late, after another, is refused, as is a worker that is not enrolled (any more)."""
        ...

    def open(self, openings: Mapping[CounterId, int], without: Collection[str]) -> bool:
        """Make those accounts that are missing. `without`: workers whose spend is not in the openings; False, and
        nothing is done, where one of them has ended meanwhile."""
        ...

    def close(self, holder: str, spent: Mapping[CounterId, int]) -> bool:
        """End a worker: its leases become what it has spent in each account. False, and nothing is done, where there
        is an account that `spent` does not name. One that is not enrolled (any more) has ended already."""
        ...

    def counters(self) -> list[CounterId]:
        """All accounts that there are."""
        ...

    def standings(self, counters: Sequence[CounterId], now_ms: int) -> list[Standing | None]:
        """What anybody may know of them: everything is elsewhere."""
        ...

    def forget(self, window_ids: Collection[str]) -> None:
        """Drop the accounts of windows that are long over."""
        ...


class Lending(Protocol):
    """The engine's way to an authority that it has to wait for, with a bound on every wait."""

    async def ready(self, attribution: Attribution) -> None:
        """Make known what the budgets that apply have left. Does not wait where it is known. Where the authority does
        not answer in time, that is refused by whoever holds money next: what costs nothing needs none."""
        ...

    async def look(self, attribution: Attribution, needed_nanousd: int) -> Refusal | None:
        """Before a request is refused for want of money: bring up to date what is left, with what lay idle elsewhere
        asked back. 503 where that takes too long."""
        ...

    async def reserve(self, attribution: Attribution, attempt_id: str, amount_nanousd: int | None) -> Hold | Refusal:
        """As `Authority.reserve`, waiting for the authority where the shares in hand do not suffice."""
        ...
