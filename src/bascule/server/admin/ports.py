"""What the admin API needs from the running gateway. `compose` and `service` supply it."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from msgspec import Struct

from bascule.link import Snapshot
from bascule.model.policy import KeyPolicy
from bascule.ports import (
    Analytics,
    Authority,
    Clock,
    ContentStore,
    Governance,
    Journal,
    KeyStore,
    LedgerReader,
    OutcomeStore,
    StoredKey,
)


class KeyMaker(Protocol):
    """Makes and ends stored keys, each with its audit entry. Raises StoreError. Any thread may call it."""

    def live(self, now_ms: int) -> list[StoredKey]:
        """Stored keys that are neither revoked nor expired, oldest first."""
        ...

    def create(self, policy: KeyPolicy, *, by: str, now_ms: int) -> tuple[StoredKey, str]:
        """The new key and its secret, which is nowhere else."""
        ...

    def rotate(self, name: str, *, by: str, now_ms: int, grace_ms: int) -> tuple[StoredKey, str] | None:
        """A new secret under the same name; the old one is good for another `grace_ms`. None: no such live key."""
        ...

    def revoke(self, name_or_id: str, *, by: str, now_ms: int) -> int:
        """How many secrets were ended."""
        ...


class AdminPorts(Struct, frozen=True, kw_only=True):
    """`authority`, `journal`, `keys` and `refresh` belong to the event loop; the rest may be called in any thread."""

    governance: Governance
    key_maker: KeyMaker
    ledger: LedgerReader
    analytics: Analytics
    outcomes: OutcomeStore
    authority: Authority
    journal: Journal
    keys: KeyStore
    clock: Clock
    snapshot: Callable[[], Snapshot]
    """The configuration that is being served."""
    refresh: Callable[[], Awaitable[None]]
    """Make the running gateway see keys and budgets as they are stored now."""
    adjustment_id: Callable[[int], str]
    """A new unique id, from the time in milliseconds."""
    content: ContentStore | None = None
    """None where nothing is or was recorded."""
    forget: Callable[[], None] = lambda: None
    """Drop what of content is kept in memory."""
