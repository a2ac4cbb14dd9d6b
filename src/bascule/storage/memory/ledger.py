"""The ledger store in dictionaries. Says the same as SQLite's, which one contract suite proves."""

import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager

from bascule.decide.counters import counted
from bascule.model.chain import KIND_OF, ChainedLine, ChainHead, StoredLine, decode_body
from bascule.model.entry import Adjustment, Decision, Intent, Settlement
from bascule.model.policy import Budget
from bascule.model.row import GATEWAY, AttemptRow, RowFilter, indexed, row_of
from bascule.ports import ALL_CHAINS, HOUR_MS, Chains, Damage, HourOf, JoinedAttempt, LedgerSnapshot, OpenAttempt, Spent
from bascule.storage.memory.imports import MemoryImports


class MemoryLedger:
    """Implements `ports.LedgerStore`; `imports` is the `ports.ImportStore` beside it. A snapshot is a copy."""

    def __init__(self) -> None:
        self.imports = MemoryImports()
        self.identity = secrets.token_hex(16)
        self._lines: dict[str, dict[int, StoredLine]] = {}
        self._intents: dict[str, tuple[str, ChainedLine]] = {}
        self._settlements: dict[str, ChainedLine] = {}
        self._adjustments: dict[str, Adjustment] = {}
        self._decisions: list[Decision] = []

    def append(self, chain_id: str, lines: Sequence[ChainedLine]) -> None:
        hours = set()
        for line in lines:
            stored = self._lines.setdefault(chain_id, {})
            if line.seq in stored:
                continue
            kind = self._take(chain_id, line)
            attempt_id = None if isinstance(line.line, Decision) else line.line.attempt_id
            stored[line.seq] = StoredLine(line.seq, line.chain, line.body, kind, attempt_id)
            if attempt_id in self._intents:
                intent = self._intents[attempt_id][1].line
                assert isinstance(intent, Intent)
                hours.add((GATEWAY, intent.ts_start_ms // HOUR_MS))
        self.imports.raise_hours(hours)

    def heads(self) -> dict[str, ChainHead]:
        return {
            chain_id: ChainHead(last, stored[last].chain)
            for chain_id, stored in self._lines.items()
            if (last := max(stored))
        }

    def open_attempts(self, chain_id: str | None = None, up_to_seq: int | None = None) -> list[OpenAttempt]:
        return [
            OpenAttempt(chain, line.line)
            for attempt_id, (chain, line) in self._intents.items()
            if attempt_id not in self._settlements
            and isinstance(line.line, Intent)
            and chain_id in (None, chain)
            and (up_to_seq is None or line.seq <= up_to_seq)
        ]

    def make_durable(self) -> None:
        """Nothing here outlives the process."""

    def spent(
        self, budgets: Sequence[Budget], now_ms: int, chains: Chains = ALL_CHAINS
    ) -> dict[tuple[str, str], Spent]:
        return _spent(self._rows(chains), budgets, now_ms)

    @contextmanager
    def snapshot(self) -> Iterator[LedgerSnapshot]:
        yield _Snapshot(self._copy())

    def _take(self, chain_id: str, line: ChainedLine) -> str:
        kind = KIND_OF[type(line.line)]
        match line.line:
            case Intent(attempt_id=attempt_id):
                if attempt_id in self._intents:
                    return "repeat-" + kind
                self._intents[attempt_id] = (chain_id, line)
                if line.line.decided is not None:
                    self._decisions.append(line.line.decided)
            case Settlement(attempt_id=attempt_id):
                if attempt_id in self._settlements:
                    return "repeat-" + kind
                self._settlements[attempt_id] = line
            case Adjustment() as adjustment:
                self._adjustments.setdefault(adjustment.adjustment_id, adjustment)
            case Decision() as decision:
                self._decisions.append(decision)
        return kind

    def _rows(self, chains: Chains = ALL_CHAINS) -> Iterator[AttemptRow]:
        for attempt_id, (chain_id, line) in self._intents.items():
            if not chains.admits(chain_id):
                continue
            settled = self._settlements.get(attempt_id)
            deltas = [a.delta_nanousd for a in self._adjustments.values() if a.attempt_id == attempt_id]
            assert isinstance(line.line, Intent)
            settlement = settled.line if settled is not None and isinstance(settled.line, Settlement) else None
            chain = line.chain if settled is None else settled.chain
            yield row_of(line.line, settlement, chain, sum(deltas) if deltas else None)

    def _copy(self) -> "MemoryLedger":
        copy = MemoryLedger()
        copy._lines = {chain_id: dict(stored) for chain_id, stored in self._lines.items()}
        copy._intents = dict(self._intents)
        copy._settlements = dict(self._settlements)
        copy._adjustments = dict(self._adjustments)
        copy._decisions = list(self._decisions)
        copy.identity = self.identity
        copy.imports = self.imports.copy()
        return copy


class _Snapshot:
    """Implements `ports.LedgerSnapshot` on a copy that nobody else has."""

    def __init__(self, copy: MemoryLedger) -> None:
        self._copy = copy

    def attempts(self, where: RowFilter, *, by_request: bool = False) -> Iterator[AttemptRow]:
        rows = [row for row in self._copy._rows() if where.admits(row)]
        if by_request:
            rows.sort(key=lambda row: (row.request_id, row.attempt_id))
        else:
            rows.sort(key=lambda row: (row.ts_start_ms, row.attempt_id))
        return iter(rows)

    def spent(
        self, budgets: Sequence[Budget], now_ms: int, chains: Chains = ALL_CHAINS
    ) -> dict[tuple[str, str], Spent]:
        return _spent(self._copy._rows(chains), budgets, now_ms)

    def imported(self, where: RowFilter, *, by_request: bool = False) -> Iterator[AttemptRow]:
        return self._copy.imports.rows(where, by_request)

    def import_counts(self) -> dict[str, int]:
        return self._copy.imports.counts()

    def identity(self) -> str:
        return self._copy.identity

    def open_hours(self) -> set[int]:
        return {opened.intent.ts_start_ms // HOUR_MS for opened in self._copy.open_attempts()}

    def hours_of(self, attempt_ids: Collection[str]) -> set[int]:
        wanted = set(attempt_ids)
        return {row.ts_start_ms // HOUR_MS for row in self._copy._rows() if row.attempt_id in wanted}

    def hour_versions(self, since_hour: int | None = None, until_hour: int | None = None) -> dict[HourOf, int]:
        return self._copy.imports.hour_versions(since_hour, until_hour)

    def known_attempts(self, attempt_ids: Collection[str]) -> set[str]:
        return {attempt_id for attempt_id in attempt_ids if attempt_id in self._copy._intents}

    def known_adjustments(self, adjustment_ids: Collection[str]) -> set[str]:
        return {identifier for identifier in adjustment_ids if identifier in self._copy._adjustments}

    def adjusted(self, attempt_ids: Collection[str]) -> dict[str, int]:
        wanted = set(attempt_ids)
        sums: dict[str, int] = {}
        for line in self._copy._adjustments.values():
            if line.attempt_id in wanted:
                sums[line.attempt_id] = sums.get(line.attempt_id, 0) + line.delta_nanousd
        return sums

    def decisions(self, request_id: str) -> list[Decision]:
        return [line for line in self._copy._decisions if line.request_id == request_id]

    def heads(self) -> dict[str, ChainHead]:
        return self._copy.heads()

    def chain(self, chain_id: str) -> Iterator[StoredLine]:
        stored = self._copy._lines.get(chain_id, {})
        return iter([stored[seq] for seq in sorted(stored)])

    def joined(self) -> Iterator[JoinedAttempt]:
        bodies: dict[tuple[str, str | None], bytes] = {}
        for stored in self._copy._lines.values():
            bodies |= {(line.kind, line.attempt_id): line.body for line in stored.values()}
        for attempt_id in self._copy._intents:
            intent = decode_body(bodies["intent", attempt_id])
            settled = bodies.get(("settle", attempt_id))
            settlement = None if settled is None else decode_body(settled)
            assert isinstance(intent, Intent)
            assert settlement is None or isinstance(settlement, Settlement)
            yield JoinedAttempt(indexed(intent, settlement), intent, settlement)

    def strays(self) -> list[Damage]:
        return [
            Damage(f"attempt {line.attempt_id}", f"has a line ({line.kind}) and is in no report")
            for stored in self._copy._lines.values()
            for line in stored.values()
            if line.kind in ("intent", "settle") and line.attempt_id not in self._copy._intents
        ]


def _spent(rows: Iterable[AttemptRow], budgets: Sequence[Budget], now_ms: int) -> dict[tuple[str, str], Spent]:
    return {where: Spent(*sums) for where, sums in counted(rows, budgets, now_ms).items() if any(sums)}
