"""What budgets have spent as of this very moment: the store's sums, and the lines that it has not taken yet."""

from collections.abc import Collection, Iterable, Sequence

from bascule.decide.counters import counted
from bascule.model.chain import ChainedLine
from bascule.model.policy import Budget
from bascule.model.row import AttemptRow, RowFilter
from bascule.ports import ALL_CHAINS, Chains, LedgerSnapshot, LedgerStore, Spent
from bascule.storage.journal.read import Tail, sort_in
from bascule.storage.view import completed, fresh_rows, undrained_deltas


def spent_with(
    store: LedgerStore,
    undrained: Iterable[ChainedLine],
    budgets: Sequence[Budget],
    now_ms: int,
    chains: Chains = ALL_CHAINS,
    *,
    excluding: Collection[str] = (),
) -> dict[tuple[str, str], Spent]:
    """As `LedgerSnapshot.spent`, with lines that were not in the store a moment ago, and may be now. It waits for
    nobody; a line costs a look-up. `undrained` are lines of those chains; the attempts of `excluding` are left out.
    Raises StoreError.
    """
    tail = Tail()
    for each in undrained:
        sort_in(tail, each.line, each.chain)
    with store.snapshot() as snapshot:
        sums = {
            where: (one.settled_nanousd, one.held_nanousd)
            for where, one in snapshot.spent(budgets, now_ms, chains).items()
        }
        before, after = [[row for row in rows if row.attempt_id not in excluding] for rows in _changed(snapshot, tail)]
        left_out = [row for each in excluding for row in snapshot.attempts(RowFilter(attempt_id=each))]
    for rows, sign in ((left_out, -1), (before, -1), (after, 1)):
        for where, (settled, held) in counted(rows, budgets, now_ms).items():
            was = sums.get(where, (0, 0))
            sums[where] = was[0] + sign * settled, was[1] + sign * held
    return {where: Spent(*one) for where, one in sums.items() if any(one)}


def _changed(snapshot: LedgerSnapshot, tail: Tail) -> tuple[list[AttemptRow], list[AttemptRow]]:
    """The rows that the tail is about: as the store has them (where it does), and as they are with the tail."""
    deltas = undrained_deltas(snapshot, tail)
    known = snapshot.known_attempts({*tail.settlements, *deltas})
    before = [row for attempt_id in known for row in snapshot.attempts(RowFilter(attempt_id=attempt_id))]
    after = [completed(row, tail, deltas) for row in before]
    return before, after + list(fresh_rows(snapshot, tail, deltas))
