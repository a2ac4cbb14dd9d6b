"""One exchange of a worker with the authority: gathered in the event loop, made in a thread, and taken there again."""

from collections.abc import Sequence

from msgspec import Struct, structs

from bascule.decide.lease import Need
from bascule.decide.window import DAY_MS, HOUR_MS, span_of
from bascule.model.chain import ChainedLine
from bascule.ports import Counted, CounterId, Exchanged, Holder, LeaseStore, LedgerStore
from bascule.storage.lending.sums import closed_spend, own_spend
from bascule.storage.memory.counter import Counter

KEEP_MS = DAY_MS
"""How long an account stays after the end of its window, for settlements that come late."""


class Round(Struct, kw_only=True):
    """What is said and asked."""

    now_ms: int
    counters: list[Counter]
    counted: list[Counted]
    needs: list[Need]
    undrained: Sequence[ChainedLine] = ()
    """As of now; only where some counter is not complete."""
    adopted: dict[CounterId, tuple[str, ...]] = {}
    """Of counters that are not complete, the attempts that are open in them."""
    own: dict[CounterId, int] = {}
    """What was found to complete them, once the exchange is made."""


class Exchange:
    """Makes rounds, one after another, in whatever thread it is called. Raises StoreError."""

    def __init__(self, store: LeaseStore, ledger: LedgerStore, name: str, replica: str, term_ms: int) -> None:
        self._store = store
        self._ledger = ledger
        self._name = name
        self._replica = replica
        self._term_ms = term_ms
        self._turn = 0
        self._forget_at_ms = 0

    def enrol(self, now_ms: int) -> None:
        self._store.enrol(self._holder(now_ms))

    def make(self, round_: Round) -> Exchanged:
        self._complete(round_)
        answer = self._say(round_)
        while None in answer.standings:
            self._open(round_, answer)
            answer = self._say(round_)
        if round_.now_ms >= self._forget_at_ms:
            self._forget_at_ms = round_.now_ms + HOUR_MS
            self._forget(round_.now_ms - KEEP_MS)
        return answer

    def _forget(self, before_ms: int) -> None:
        """Accounts of windows in which nothing can be settled any more."""
        windows = {window_id for _, window_id in self._store.counters()}
        over = [each for each in windows if (span_of(each).end_ms or before_ms) < before_ms]
        if over:
            self._store.forget(over)

    def _say(self, round_: Round) -> Exchanged:
        self._turn += 1
        holder = self._holder(round_.now_ms)
        return self._store.exchange(holder, self._turn, round_.counted, round_.needs, round_.now_ms)

    def _complete(self, round_: Round) -> None:
        """Counters whose window had begun before this worker counted it: what it spent there before."""
        for at, each in enumerate(round_.counted):
            adopted = round_.adopted.get(each.counter)
            if adopted is None:
                continue
            spent = own_spend(self._ledger, round_.undrained, self._name, each.counter, adopted)
            round_.own[each.counter] = spent
            report = structs.replace(each.report, settled_nanousd=each.report.settled_nanousd + spent)
            round_.counted[at] = structs.replace(each, report=report)

    def _open(self, round_: Round, answer: Exchanged) -> None:
        """Make the accounts that are missing. One whose window this worker has watched from its start is at nothing:
        any attempt of another would have made it."""
        missing = [each.counter for each, known in zip(round_.counted, answer.standings, strict=True) if known is None]
        openings = dict.fromkeys(missing, 0)
        living = [each.name for each in self._store.holders()]
        late = [counter for counter in missing if counter in round_.adopted]
        openings |= closed_spend(self._ledger, late, living)
        self._store.open(openings, living)

    def _holder(self, now_ms: int) -> Holder:
        return Holder(self._name, self._replica, now_ms + self._term_ms)
