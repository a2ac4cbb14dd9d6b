"""What a data directory's database gives, whichever it is."""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from bascule.model.content import Subject
from bascule.ports import (
    EvidenceStore,
    Governance,
    IdempotencyStore,
    ImportStore,
    LeaseStore,
    LedgerStore,
    OutcomeStore,
    Watermarks,
)


class Opened(Protocol):
    """A database that was opened."""

    @property
    def place(self) -> str:
        """Where it is, for people; without secrets."""
        ...

    def close(self) -> None: ...


class Closing(Protocol):
    def close(self) -> None: ...


class Imports(ImportStore, Closing, Protocol):
    """Imported rows, on connections that are closed with it."""


class Idempotency(IdempotencyStore, Closing, Protocol):
    """Uses of Idempotency-Keys, on connections that are closed with it."""


class SharedReplies(Protocol):
    """Answers that replicas share, sealed by whoever puts them here. Blocking. Raises StoreError."""

    def put(self, name: bytes, sealed: bytes, *, until_ms: int, subject: Subject) -> None:
        """`subject`: both the user and the session, where they are known."""
        ...

    def get(self, name: bytes, now_ms: int) -> bytes | None: ...

    def erase(self, subject: Subject) -> int:
        """Delete those of a user or session; says how many those were."""
        ...

    def end(self, now_ms: int) -> int:
        """Delete those whose time is over."""
        ...


class Leases(LeaseStore, Protocol):
    """The authority of several workers, on a connection that is closed with it."""

    def shut(self) -> None: ...


class Stores(Struct, frozen=True, kw_only=True):
    """One database's stores. All but what is closed by itself ends with `database`."""

    database: Opened
    schema_version: int
    ledger: LedgerStore
    governance: Governance
    imports: Imports
    outcomes: OutcomeStore
    evidence: EvidenceStore
    watermarks: Watermarks | None = None
    """Where other replicas write to it too."""
    idempotency: Callable[[int, int], Idempotency]
    """Of so many rows in all, and for each key. Raises StoreError."""
    leases: Callable[[], Leases]
    """Raises StoreError."""
    replies: SharedReplies | None = None
    """None where no other process is to give them."""
