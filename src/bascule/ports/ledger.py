"""Attempts in the store: taken from journals, read as rows, checked."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from msgspec import Struct

from bascule.model.chain import ChainedLine, ChainHead, StoredLine
from bascule.model.entry import Decision, Intent, Settlement
from bascule.model.policy import Budget
from bascule.model.row import EVERY_ROW, AttemptRow, IndexedAttempt, RowFilter

HOUR_MS = 3_600_000


HourOf = tuple[str, int]
"""Origin and number of an hour (UTC, from the Unix epoch): what is compacted as one, and stale as one."""


class Spent(Struct, frozen=True):
    """What the ledger says of one counter: settled (an unknown cost as its hold), and held by open attempts."""

    settled_nanousd: int
    held_nanousd: int


class Chains(Struct, frozen=True):
    """Whose attempts: those that this chain began, or all but those that these began."""

    only: str | None = None
    without: tuple[str, ...] = ()

    def admits(self, chain_id: str) -> bool:
        return chain_id not in self.without if self.only is None else chain_id == self.only


ALL_CHAINS = Chains()


class Damage(Struct, frozen=True):
    """Something in a journal that cannot be read as it should: where, and what is wrong with it."""

    where: str
    what: str


class OpenAttempt(Struct, frozen=True):
    """An intent without a settlement, and the chain whose writer owes it."""

    chain_id: str
    intent: Intent


class JoinedAttempt(Struct, frozen=True):
    """One attempt twice: as the store keeps it to select and sum by, and the lines that it was made from."""

    kept: IndexedAttempt
    intent: Intent | None
    settlement: Settlement | None


class LedgerStore(Protocol):
    """Where the drainer puts lines. All calls raise StoreError; every one of them may be repeated."""

    def append(self, chain_id: str, lines: Sequence[ChainedLine]) -> None:
        """Take lines of one chain, in order, in one transaction. Lines that are already there change nothing."""
        ...

    def heads(self) -> dict[str, ChainHead]:
        """The last line taken of every chain."""
        ...

    def open_attempts(self, chain_id: str | None = None, up_to_seq: int | None = None) -> list[OpenAttempt]:
        """Attempts without a settlement, of all chains or of one (there up to and with line `up_to_seq`)."""
        ...

    def make_durable(self) -> None:
        """Return once everything taken so far survives loss of power, so that its journal may be deleted."""
        ...

    def spent(
        self, budgets: Sequence[Budget], now_ms: int, chains: Chains = ALL_CHAINS
    ) -> dict[tuple[str, str], Spent]:
        """As `LedgerSnapshot.spent`, of what the store holds now."""
        ...

    def snapshot(self) -> AbstractContextManager["LedgerSnapshot"]:
        """One consistent view of all rows, however long it is read."""
        ...


class LedgerSnapshot(Protocol):
    """What a store held at one moment. Rows carry their adjustments."""

    def attempts(self, where: RowFilter, *, by_request: bool = False) -> Iterator[AttemptRow]:
        """Rows in the order of (ts_start_ms, attempt_id), or with `by_request` of (request_id, attempt_id)."""
        ...

    def spent(
        self, budgets: Sequence[Budget], now_ms: int, chains: Chains = ALL_CHAINS
    ) -> dict[tuple[str, str], Spent]:
        """What has been spent and held in the current window of each budget, by (concrete scope, window_id).

        A row counts in the window that its hold was taken from; where it holds nothing in that scope (the budget is
        younger than the row) in the window that it started in. Counters at zero are left out.
        """
        ...

    def imported(self, where: RowFilter, *, by_request: bool = False) -> Iterator[AttemptRow]:
        """Imported rows in the order of (ts_start_ms, attempt_id), or with `by_request` those of a request together."""
        ...

    def import_counts(self) -> dict[str, int]:
        """Imported rows by source."""
        ...

    def identity(self) -> str:
        """Tells this store from every other one."""
        ...

    def open_hours(self) -> set[int]:
        """Hours in which attempts began that are not settled."""
        ...

    def hours_of(self, attempt_ids: Collection[str]) -> set[int]:
        """Hours in which these attempts of the ledger began; unknown ones are left out."""
        ...

    def hour_versions(self, since_hour: int | None = None, until_hour: int | None = None) -> dict[HourOf, int]:
        """How often each hour from `since_hour` up to `until_hour` was written to; hours without rows are left out."""
        ...

    def known_attempts(self, attempt_ids: Collection[str]) -> set[str]: ...

    def known_adjustments(self, adjustment_ids: Collection[str]) -> set[str]: ...

    def adjusted(self, attempt_ids: Collection[str]) -> dict[str, int]:
        """The sum of the adjustments of each of these attempts that has any, known here or not."""
        ...

    def decisions(self, request_id: str) -> list[Decision]: ...

    def heads(self) -> dict[str, ChainHead]: ...

    def chain(self, chain_id: str) -> Iterator[StoredLine]:
        """All lines of one chain in order."""
        ...

    def joined(self) -> Iterator[JoinedAttempt]:
        """Every attempt twice, for `ledger verify`."""
        ...

    def strays(self) -> list[Damage]:
        """Lines that belong to no chain or no attempt, and attempts that point at other lines than their own."""
        ...


class Watermarks(Protocol):
    """How far journals are in a store that several replicas write to. All calls raise StoreError."""

    def now_ms(self) -> int:
        """By the store's own clock, which is the only one that all replicas share."""
        ...

    def complete(self, chain_id: str, at_ms: int) -> None:
        """The store has every line that this journal had taken by then."""
        ...

    def ended(self, chain_id: str) -> None:
        """The store has every line of this journal, and there will be no more."""
        ...

    def behind(self, at_ms: int) -> list[str]:
        """Journals that are not known to be complete up to and with `at_ms`."""
        ...


class LedgerReader(Protocol):
    """Rows of the whole ledger, what the store has not taken yet and what was imported included. Raises StoreError."""

    def attempts(self, where: RowFilter = EVERY_ROW, *, by_request: bool = False) -> Iterator[AttemptRow]:
        """As `LedgerSnapshot.attempts`, over the store, the journals' tails and the imports together; `by_request`
        the imports come last.
        """
        ...

    def unheard(self) -> list[str]:
        """Journals of other replicas that may hold rows which are not read, after waiting a moment for them."""
        ...

    def decisions(self, request_id: str) -> list[Decision]:
        """The decision records of a request, oldest first."""
        ...


class LedgerEvidence(Protocol):
    """What `ledger verify` checks."""

    def snapshot(self) -> AbstractContextManager[LedgerSnapshot]: ...

    def filed(self) -> dict[str, list[StoredLine]]:
        """Lines that lie in journal files, by chain, in order. Read before `snapshot`."""
        ...

    def damages(self) -> list[Damage]:
        """What `filed` could not read."""
        ...
