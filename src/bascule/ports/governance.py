"""Keys and budgets that commands made."""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from bascule.model.audit import AuditEntry
from bascule.model.chain import ChainHead
from bascule.model.policy import Budget, BudgetWindow, KeyPolicy


class StoredKey(Struct, frozen=True, kw_only=True):
    """A virtual key that a command made. `digest` is the keyed hash of its secret; the secret is nowhere."""

    key_id: str
    policy: KeyPolicy
    digest: bytes
    created_ms: int
    revoked_ms: int | None = None
    """Good for nothing from then on; may lie ahead, after a rotation with grace."""

    @property
    def mark(self) -> str:
        """Tells whether a digest is the one that the key was made with, and nothing else: for the audit trail."""
        return blake2b(self.digest, digest_size=16, person=b"bascule-key-mark").hexdigest()

    @property
    def made(self) -> dict[str, Any]:
        """What the audit trail says of it when it is made: its policy, and the mark of its digest."""
        return {**msgspec.to_builtins(self.policy), "mark": self.mark}


class Governance(Protocol):
    """Keys and budgets that commands made, and the audit trail of every change. Raises StoreError."""

    def revision(self) -> int:
        """Grows with every change, whoever made it; cheap to ask."""
        ...

    def keys(self) -> list[StoredKey]:
        """All, revoked and expired ones too, oldest first."""
        ...

    def add_key(self, key: StoredKey, *, by: str, action: str = "key.create") -> None: ...

    def end_key(self, key_id: str, *, at_ms: int, by: str, now_ms: int, action: str = "key.revoke") -> bool:
        """The key is good for nothing from `at_ms` on. False where there is no such key, or it ends sooner."""
        ...

    def budgets(self) -> tuple[Budget, ...]: ...

    def set_budget(self, budget: Budget, *, by: str, now_ms: int) -> None:
        """Make or replace the budget of this scope and window."""
        ...

    def remove_budget(self, scope: str, window: BudgetWindow, *, by: str, now_ms: int) -> bool:
        """False where there is none."""
        ...

    def record(self, *, ts_ms: int, by: str, action: str, target: str, detail: dict[str, Any]) -> None:
        """An audit entry for an act that changes nothing here."""
        ...

    def audit(self) -> Iterator[AuditEntry]:
        """Oldest first."""
        ...

    def audit_head(self) -> ChainHead | None:
        """The last entry, as it was anchored outside the trail itself."""
        ...

    def claim_once(self, name: str, until_ms: int, now_ms: int) -> bool:
        """True for the first, of all processes, that claims `name`; it is forgotten after `until_ms`."""
        ...

    def setting(self, name: str) -> str | None: ...

    def set_setting(self, name: str, value: str) -> None: ...
