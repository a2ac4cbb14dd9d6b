"""What chains have spent, for accounts of the authority: to open them with, and to close the leases of the dead.

An account is the sum of what each living worker says of itself and what the ledger says of all other chains, so that
it equals the ledger's sum whatever was started, stopped or killed in between.
"""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from bascule.decide.budget import parse_scope
from bascule.decide.window import span_of
from bascule.model.chain import ChainedLine
from bascule.model.policy import Budget
from bascule.ports import Chains, CounterId, LeaseStore, LedgerStore
from bascule.storage.journal.segments import lock_chain, segments_by_chain
from bascule.storage.spent import spent_with


def own_spend(
    ledger: LedgerStore, undrained: Sequence[ChainedLine], chain_id: str, counter: CounterId, adopted: Collection[str]
) -> int:
    """What this chain has settled in an account that it has not counted so far. `undrained` as of the moment when
    counting began, and `adopted` are the attempts that were open then. Raises StoreError."""
    scope, window_id = counter
    window = span_of(window_id)
    budget = Budget(scope=scope, window=window.window, limit_nanousd=0)
    found = spent_with(ledger, undrained, [budget], window.start_ms, Chains(only=chain_id), excluding=adopted)
    return sum([one.settled_nanousd for one in found.values()])


def closed_spend(ledger: LedgerStore, counters: Iterable[CounterId], living: Collection[str]) -> dict[CounterId, int]:
    """What all other chains have spent or still hold. Raises StoreError."""
    return _spend(ledger, counters, Chains(without=tuple(sorted(living))))


def open_accounts(store: LeaseStore, ledger: LedgerStore, budgets: Sequence[Budget], now_ms: int) -> None:
    """Make the accounts of every budget that something was spent from in its current window, so that one which is
    missing later has spent nothing. Raises StoreError."""
    while True:
        living = [each.name for each in store.holders()]
        spent = ledger.spent(budgets, now_ms, Chains(without=tuple(living)))
        if store.open({c: one.settled_nanousd + one.held_nanousd for c, one in spent.items()}, living):
            return


def end_lease(store: LeaseStore, ledger: LedgerStore, chain_id: str) -> None:
    """Replace a chain's leases by what the ledger has of it, which must be all. Raises StoreError."""
    while True:
        counters = store.counters()
        spent = dict.fromkeys(counters, 0) | _spend(ledger, counters, Chains(only=chain_id))
        if store.close(chain_id, spent):
            return


def bury(store: LeaseStore, ledger: LedgerStore, directory: Path, replica: str) -> list[str]:
    """End the leases of this replica's workers that have died, once their journals are in the ledger: whom.

    One that died just now may still have lines in its journal. Whoever recovers those comes here next.
    """
    ended = []
    for holder in store.holders():
        if holder.replica != replica:
            continue
        lock = lock_chain(directory, holder.name)
        if lock is None:
            continue
        try:
            if holder.name not in segments_by_chain(directory):
                end_lease(store, ledger, holder.name)
                ended.append(holder.name)
        finally:
            lock.release(remove=holder.name not in segments_by_chain(directory))
    return ended


def _spend(ledger: LedgerStore, counters: Iterable[CounterId], chains: Chains) -> dict[CounterId, int]:
    """One query for each kind of scope and window, however many accounts there are."""
    wanted = set(counters)
    found: dict[CounterId, int] = {}
    for pattern, window_id in sorted({(_pattern(scope), window_id) for scope, window_id in wanted}):
        window = span_of(window_id)
        budget = Budget(scope=pattern, window=window.window, limit_nanousd=0)
        for counter, one in ledger.spent([budget], window.start_ms, chains).items():
            if counter in wanted:
                found[counter] = one.settled_nanousd + one.held_nanousd
    return found


def _pattern(scope: str) -> str:
    kind, name = parse_scope(scope)
    return f"tag:{name.partition('=')[0]}=*" if kind == "tag" else f"{kind}:*"
