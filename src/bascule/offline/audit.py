"""The audit trail read whole: its latest entries, whether it holds, and whether keys and budgets are what it made them.

Whoever changes a key or a budget in the database itself leaves no entry, and is found by that.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec import Struct

from bascule.model.audit import AuditEntry
from bascule.model.chain import ChainHead
from bascule.model.policy import Budget, KeyPolicy
from bascule.offline.verify import Verdict, verify_audit
from bascule.ports import Damage, Governance, StoredKey

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


class _Made:
    """Keys and budgets as the trail alone would have them, by the place that a finding names."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[KeyPolicy, int | None]] = {}
        self._budgets: dict[str, Budget] = {}

    def take(self, entry: AuditEntry) -> None:
        """Entries that cannot be understood are the chain's to report."""
        key = f"key {entry.target}"
        try:
            if entry.action in ("key.create", "key.rotate"):
                self._keys[key] = (msgspec.convert(entry.detail, KeyPolicy), None)
            elif entry.action == "key.revoke" and key in self._keys:
                self._keys[key] = (self._keys[key][0], entry.detail.get("revoked_ms"))
            elif entry.action == "budget.set":
                budget = msgspec.convert(entry.detail, Budget)
                self._budgets[_place(budget.scope, budget.window)] = budget
            elif entry.action == "budget.remove":
                self._budgets.pop(_place(entry.target, entry.detail.get("window")), None)
        except msgspec.ValidationError:
            return

    def differences(self, keys: Iterable[StoredKey], budgets: Iterable[Budget]) -> Iterator[Damage]:
        made: dict[str, object] = {**self._keys, **self._budgets}
        stored: dict[str, object] = {f"key {key.key_id}": (key.policy, key.revoked_ms) for key in keys}
        stored |= {_place(budget.scope, budget.window): budget for budget in budgets}
        for where in dict.fromkeys([*made, *stored]):
            if where not in stored:
                yield Damage(where, "is gone, and the trail does not say who removed it")
            elif where not in made:
                yield Damage(where, "is there, and the trail does not say who made it")
            elif made[where] != stored[where]:
                yield Damage(where, "is not as the trail says that it was made: it was changed beside it")


def _place(scope: str, window: object) -> str:
    return f"budget {scope} a {window}"
