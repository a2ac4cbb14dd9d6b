"""The audit trail read whole: its latest entries, whether it holds, and whether keys and budgets are what it made them.

Whoever changes a key or a budget in the database itself leaves no entry, and is found by that.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec
from msgspec import Struct, structs

from bascule.model.audit import AuditEntry
from bascule.model.chain import ChainHead
from bascule.model.policy import Budget, KeyPolicy
from bascule.offline.verify import Verdict, verify_audit
from bascule.ports import Damage, Governance, StoredKey

_M = TypeVar("_M")
_S = TypeVar("_S")

MAX_READINGS = 5
"""A trail that goes on growing while it is compared with keys and budgets is read again, this often at most."""


class Trail(Struct, frozen=True):
    """What one reading found. `latest`: oldest first."""

    verdict: Verdict
    latest: tuple[AuditEntry, ...]


def read_trail(
    governance: Governance, *, latest: int | None = None, before: int | None = None, heads: Sequence[ChainHead] = ()
) -> Trail:
    """The whole trail, with the `latest` entries (None: all) of those before entry `before`.

    `heads` are ones that were written down elsewhere, e.g. in a log: each must be in it. Raises StoreError.
    """
    for _ in range(MAX_READINGS):
        revision = governance.revision()
        found = _read(governance, latest, before, heads)
        if governance.revision() == revision:
            return found
    what = "kept changing while it was read; verify again when less is going on"
    return Trail(Verdict(findings=(Damage("audit trail", what),)), ())


def _read(governance: Governance, latest: int | None, before: int | None, heads: Sequence[ChainHead]) -> Trail:
    """The anchor is read first: what is added meanwhile comes after it."""
    anchor = governance.audit_head()
    kept: deque[AuditEntry] = deque(maxlen=latest)
    missing = dict.fromkeys(heads)
    made = _Made()

    def passing() -> Iterator[AuditEntry]:
        for entry in governance.audit():
            missing.pop(ChainHead(entry.seq, entry.chain), None)
            made.take(entry)
            if before is None or entry.seq < before:
                kept.append(entry)
            yield entry

    verdict = verify_audit(passing(), anchor)
    what = "was written down elsewhere and is gone, or has another link here"
    cut = [Damage(f"audit entry {head.seq}", what) for head in missing]
    beside = made.differences(governance.keys(), governance.budgets())
    findings = (*verdict.findings, *cut, *beside)
    return Trail(Verdict(entries=verdict.entries, findings=findings), tuple(kept))


class _Key(Struct, frozen=True):
    """What must be so of a stored key. `mark`: None in entries of releases that did not write one."""

    policy: KeyPolicy
    mark: str | None
    revoked_ms: int | None = None

    def is_same(self, stored: StoredKey) -> bool:
        """With another digest, another secret has what the key may do."""
        known = self.mark is None or self.mark == stored.mark
        return known and (self.policy, self.revoked_ms) == (stored.policy, stored.revoked_ms)


class _Made:
    """Keys and budgets as the trail alone would have them, by the place that a finding names."""

    def __init__(self) -> None:
        self._keys: dict[str, _Key] = {}
        self._budgets: dict[str, Budget] = {}

    def take(self, entry: AuditEntry) -> None:
        """Entries that cannot be understood are the chain's to report."""
        key = f"key {entry.target}"
        try:
            if entry.action in ("key.create", "key.rotate"):
                policy = msgspec.convert(entry.detail, KeyPolicy)
                self._keys[key] = _Key(policy, entry.detail.get("mark"))
            elif entry.action == "key.revoke" and key in self._keys:
                self._keys[key] = structs.replace(self._keys[key], revoked_ms=entry.detail.get("revoked_ms"))
            elif entry.action == "budget.set":
                budget = msgspec.convert(entry.detail, Budget)
                self._budgets[_place(budget.scope, budget.window)] = budget
            elif entry.action == "budget.remove":
                self._budgets.pop(_place(entry.target, entry.detail.get("window")), None)
        except msgspec.ValidationError:
            return

    def differences(self, keys: Iterable[StoredKey], budgets: Iterable[Budget]) -> Iterator[Damage]:
        live_keys = {f"key {key.key_id}": key for key in keys}
        live_budgets = {_place(budget.scope, budget.window): budget for budget in budgets}
        yield from _differing(self._keys, live_keys, lambda made, stored: made.is_same(stored))
        yield from _differing(self._budgets, live_budgets, lambda made, stored: made == stored)


def _differing(made: Mapping[str, _M], stored: Mapping[str, _S], is_same: Callable[[_M, _S], bool]) -> Iterator[Damage]:
    for where in dict.fromkeys([*made, *stored]):
        if where not in stored:
            yield Damage(where, "is gone, and the trail does not say who removed it")
        elif where not in made:
            yield Damage(where, "is there, and the trail does not say who made it")
        elif not is_same(made[where], stored[where]):
            yield Damage(where, "is not as the trail says that it was made: it was changed beside it")


def _place(scope: str, window: object) -> str:
    return f"budget {scope} a {window}"
