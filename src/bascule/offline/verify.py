"""`ledger verify` and `audit verify`: every promise of the books, checked from the lines up.

A chain is whole if its lines are numbered without a gap, each hangs on the one before, and the last is the one that
the store anchored as its head; what still lies in journal files must agree with the store and go on from it. Every
attempt must be kept as its two lines say, once, and its cost must follow from its own usage and rates.
"""

from collections.abc import Callable, Iterable

import msgspec
from msgspec import Struct

from bascule.decide.price import price_with
from bascule.model.audit import AUDIT_START, AuditEntry, linked
from bascule.model.chain import KIND_OF, ChainHead, StoredLine, chain_start, decode_body, next_chain
from bascule.model.entry import Decision, Intent, Settlement
from bascule.model.money import Rates
from bascule.model.row import indexed
from bascule.model.usage import Usage
from bascule.ports import Damage, JoinedAttempt, LedgerEvidence

Pricer = Callable[[Usage, Rates], int | None]


class Verdict(Struct, frozen=True, kw_only=True):
    """What was looked at, and everything that is wrong with it, each with its place."""

    chains: int = 0
    lines: int = 0
    attempts: int = 0
    entries: int = 0
    """Of the audit trail."""
    imported: int = 0
    """Rows that others recorded; nothing proves those, so nothing of them was checked."""
    findings: tuple[Damage, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.findings


def verify_ledger(evidence: LedgerEvidence, price: Pricer = price_with) -> Verdict:
    """Check the whole ledger, while it is being written too. `price` is what an attempt at given rates costs."""
    filed = evidence.filed()
    findings = list(evidence.damages())
    lines = attempts = 0
    with evidence.snapshot() as snapshot:
        heads = snapshot.heads()
        chains = sorted({*heads, *filed})
        for chain_id in chains:
            walk = _Walk(chain_id, filed.get(chain_id, []), findings)
            for line in snapshot.chain(chain_id):
                walk.stored(line)
            walk.end(heads.get(chain_id))
            lines += walk.lines
        for joined in snapshot.joined():
            attempts += 1
            where = f"attempt {joined.kept.attempt_id}"
            findings += [Damage(where, what) for what in _attempt_faults(joined, price)]
        findings += snapshot.strays()
        imported = sum(snapshot.import_counts().values())
    return Verdict(chains=len(chains), lines=lines, attempts=attempts, imported=imported, findings=tuple(findings))


class _Walk:
    """One chain from its start: first the store's lines, then those that are only in files."""

    def __init__(self, chain_id: str, filed: Iterable[StoredLine], findings: list[Damage]) -> None:
        self._chain_id = chain_id
        self._filed = {line.seq: line for line in filed}
        self._findings = findings
        self._last = ChainHead(0, chain_start(chain_id))
        self.lines = 0

    def stored(self, line: StoredLine) -> None:
        filed = self._filed.pop(line.seq, None)
        if filed is not None and (filed.body, filed.chain) != (line.body, line.chain):
            self._found(line.seq, "differs between the store and the journal")
        self._step(line)

    def end(self, head: ChainHead | None) -> None:
        if head is not None and head != self._last:
            what = f"the chain was anchored at line {head.seq} and ends at line {self._last.seq}"
            self._found(head.seq, what if head.seq != self._last.seq else "is not the line that was anchored")
            self._last = head
        for seq in sorted(self._filed):
            self._step(self._filed[seq])

    def _step(self, line: StoredLine) -> None:
        self.lines += 1
        if line.seq != self._last.seq + 1:
            self._found(line.seq, f"follows line {self._last.seq}: lines between them are missing")
        elif next_chain(self._last.chain, line.body) != line.chain:
            self._found(line.seq, "does not hang on the line before: it or its predecessor was changed")
        what = _label_fault(line)
        if what is not None:
            self._found(line.seq, what)
        self._last = ChainHead(line.seq, line.chain)

    def _found(self, seq: int, what: str) -> None:
        self._findings.append(Damage(f"chain {self._chain_id} line {seq}", what))


def _label_fault(line: StoredLine) -> str | None:
    """What the store says a line is must be what its body says."""
    try:
        body = decode_body(line.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return f"is no ledger line: {error}"
    if line.kind.startswith("repeat-"):
        return f"is a second {line.kind.removeprefix('repeat-')} of attempt {line.attempt_id}"
    attempt_id = None if isinstance(body, Decision) else body.attempt_id
    if (line.kind, line.attempt_id) != (KIND_OF[type(body)], attempt_id):
        return f"is filed as {line.kind} of {line.attempt_id} and says {KIND_OF[type(body)]} of {attempt_id}"
    return None


def _attempt_faults(joined: JoinedAttempt, price: Pricer) -> list[str]:
    if joined.intent is None:
        return ["has no intent among the lines"]
    faults = []
    expected = indexed(joined.intent, joined.settlement)
    for name in expected.__struct_fields__:
        kept, said = getattr(joined.kept, name), getattr(expected, name)
        if kept != said:
            faults.append(f"is kept with {name} {kept!r} where its lines say {said!r}")
    if joined.settlement is not None:
        faults += _cost_faults(joined.intent, joined.settlement, price)
        faults += _charge_faults(joined.settlement)
    return faults


def _cost_faults(intent: Intent, settlement: Settlement, price: Pricer) -> list[str]:
    cost = settlement.cost_nanousd
    if settlement.recovered or settlement.rates is None:
        # Nothing to multiply: free, unknown, or an unknown bill taken at its hold. Anything else is made up.
        if cost in (None, 0, intent.hold_nanousd):
            return []
        return [f"costs {cost} nano-USD, and there are no rates that this could follow from"]
    again = price(settlement.usage, settlement.rates)
    return [] if again == cost else [f"costs {cost} nano-USD where its usage at its rates costs {again}"]


def _charge_faults(settlement: Settlement) -> list[str]:
    cost, charged = settlement.cost_nanousd, settlement.charged_nanousd
    if charged is None or (cost is not None and charged >= cost):
        return []
    return [f"was charged to budgets at {charged} nano-USD, which is less than its cost ({cost})"]


def verify_audit(entries: Iterable[AuditEntry], anchor: ChainHead | None) -> Verdict:
    """Check the audit trail against the head that was anchored outside it."""
    findings: list[Damage] = []
    last, count = ChainHead(0, AUDIT_START), 0
    seen_anchor = False
    for entry in entries:
        count += 1
        where = f"audit entry {entry.seq}"
        if entry.seq != last.seq + 1:
            findings.append(Damage(where, f"follows entry {last.seq}: entries between them are missing"))
        elif linked(entry, last.chain).chain != entry.chain:
            findings.append(Damage(where, "does not hang on the entry before: it or its predecessor was changed"))
        last = ChainHead(entry.seq, entry.chain)
        seen_anchor = seen_anchor or last == anchor
    if anchor is None and count:
        findings.append(Damage("audit.anchor", "is missing, so that nothing shows whether the trail was cut"))
    elif anchor is not None and not seen_anchor:
        findings.append(Damage(f"audit entry {anchor.seq}", f"was anchored and is not there; the trail has {count}"))
    return Verdict(entries=count, findings=tuple(findings))
