"""The authority of several workers in dictionaries. Says the same as SQLite's and PostgreSQL's: one contract suite."""

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from threading import Lock

from bascule.decide.lease import Account, Need, Standing, close, standing
from bascule.ports import Counted, CounterId, Exchanged, Holder
from bascule.storage.exchanged import exchanged, fenced, living


class MemoryLeases:
    """Implements `ports.LeaseStore` for workers of one process, as tests have them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._holders: dict[str, tuple[Holder, int]] = {}
        self._accounts: dict[CounterId, Account] = {}

    def enrol(self, holder: Holder) -> None:
        with self._lock:
            self._holders[holder.name] = (holder, 0)

    def holders(self) -> list[Holder]:
        with self._lock:
            return [holder for holder, _ in self._holders.values()]

    def exchange(
        self, holder: Holder, turn: int, counted: Sequence[Counted], needs: Sequence[Need], now_ms: int
    ) -> Exchanged:
        with self._lock:
            known = self._holders.get(holder.name)
            if known is None or known[1] >= turn:
                raise fenced(holder.name)
            self._holders[holder.name] = (holder, turn)
            live = living([each for each, _ in self._holders.values()], now_ms, holder.name)
            accounts = [deepcopy(self._accounts.get(each.counter)) for each in counted]
            answer, written = exchanged(holder, accounts, counted, needs, live, now_ms)
            for each, account in zip(counted, written, strict=False):
                self._accounts[each.counter] = account
            return answer

    def open(self, openings: Mapping[CounterId, int], without: Collection[str]) -> bool:
        with self._lock:
            if not self._holders.keys() >= set(without):
                return False
            for counter, spent in openings.items():
                self._accounts.setdefault(counter, Account(closed_nanousd=spent))
            return True

    def close(self, holder: str, spent: Mapping[CounterId, int]) -> bool:
        with self._lock:
            if self._accounts.keys() - spent.keys():
                return False
            if self._holders.pop(holder, None) is not None:
                for counter, account in self._accounts.items():
                    close(holder, account, spent[counter])
            return True

    def counters(self) -> list[CounterId]:
        with self._lock:
            return sorted(self._accounts)

    def standings(self, counters: Sequence[CounterId], now_ms: int) -> list[Standing | None]:
        with self._lock:
            live = living([each for each, _ in self._holders.values()], now_ms)
            found = [self._accounts.get(counter) for counter in counters]
            return [None if account is None else standing("", account, live) for account in found]

    def forget(self, window_ids: Collection[str]) -> None:
        with self._lock:
            self._accounts = {c: account for c, account in self._accounts.items() if c[1] not in window_ids}
