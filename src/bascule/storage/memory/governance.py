"""Keys, budgets and audit trail in lists. Says the same as SQLite's, which one contract suite proves."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import structs

from bascule.model.audit import AUDIT_START, AuditEntry, linked
from bascule.model.chain import ChainHead
from bascule.model.errors import StoreError
from bascule.model.policy import Budget, BudgetWindow
from bascule.ports import StoredKey


class MemoryGovernance:
    """Implements `ports.Governance`."""

    def __init__(self) -> None:
        self._keys: dict[str, StoredKey] = {}
        self._budgets: dict[tuple[str, str], Budget] = {}
        self._audit: list[AuditEntry] = []
        self._settings: dict[str, str] = {}
        self._claims: dict[tuple[int, str], None] = {}

    def revision(self) -> int:
        return len(self._audit)

    def keys(self) -> list[StoredKey]:
        return sorted(self._keys.values(), key=lambda key: (key.created_ms, key.key_id))

    def add_key(self, key: StoredKey, *, by: str, action: str = "key.create") -> None:
        if key.key_id in self._keys:
            raise StoreError(f"there already is a key {key.key_id}")
        stored = structs.replace(key, policy=structs.replace(key.policy, source="store"))
        self._keys[key.key_id] = stored
        self.record(ts_ms=key.created_ms, by=by, action=action, target=key.key_id, detail=stored.made)

    def end_key(self, key_id: str, *, at_ms: int, by: str, now_ms: int, action: str = "key.revoke") -> bool:
        key = self._keys.get(key_id)
        if key is None or (key.revoked_ms is not None and key.revoked_ms <= at_ms):
            return False
        self._keys[key_id] = structs.replace(key, revoked_ms=at_ms)
        self.record(ts_ms=now_ms, by=by, action=action, target=key_id, detail={"revoked_ms": at_ms})
        return True

    def budgets(self) -> tuple[Budget, ...]:
        return tuple(self._budgets[where] for where in sorted(self._budgets))

    def set_budget(self, budget: Budget, *, by: str, now_ms: int) -> None:
        budget = structs.replace(budget, source="store")
        self._budgets[budget.scope, budget.window] = budget
        detail = msgspec.to_builtins(budget)
        self.record(ts_ms=now_ms, by=by, action="budget.set", target=budget.scope, detail=detail)

    def remove_budget(self, scope: str, window: BudgetWindow, *, by: str, now_ms: int) -> bool:
        if self._budgets.pop((scope, window), None) is None:
            return False
        self.record(ts_ms=now_ms, by=by, action="budget.remove", target=scope, detail={"window": window})
        return True

    def record(self, *, ts_ms: int, by: str, action: str, target: str, detail: dict[str, Any]) -> None:
        previous = self._audit[-1].chain if self._audit else AUDIT_START
        entry = AuditEntry(seq=len(self._audit) + 1, ts_ms=ts_ms, by=by, action=action, target=target, detail=detail)
        self._audit.append(linked(entry, previous))

    def audit(self) -> Iterator[AuditEntry]:
        return iter(list(self._audit))

    def audit_head(self) -> ChainHead | None:
        return ChainHead(self._audit[-1].seq, self._audit[-1].chain) if self._audit else None

    def claim_once(self, name: str, until_ms: int, now_ms: int) -> bool:
        self._claims = {claim: None for claim in self._claims if claim[0] >= now_ms}
        first = (until_ms, name) not in self._claims
        self._claims[until_ms, name] = None
        return first

    def setting(self, name: str) -> str | None:
        return self._settings.get(name)

    def set_setting(self, name: str, value: str) -> None:
        self._settings[name] = value
