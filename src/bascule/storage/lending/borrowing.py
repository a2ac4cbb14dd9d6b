"""A worker among others, from its enrolment to its end: what is done about leases before and after it serves."""

import logging
from collections.abc import Sequence

from bascule.model.errors import StoreError
from bascule.model.policy import Budget
from bascule.ports import Clock, LeaseStore, LedgerStore
from bascule.storage.journal.writer import JournalWriter
from bascule.storage.lending.lender import Lender, LendingLimits
from bascule.storage.lending.round import Exchange
from bascule.storage.lending.sums import bury, end_lease, open_accounts
from bascule.storage.memory.authority import MemoryAuthority

log = logging.getLogger("bascule.budgets")


class Borrowing:
    """One worker's part in budgets that several share."""

    def __init__(
        self,
        *,
        leases: LeaseStore,
        ledger: LedgerStore,
        journal: JournalWriter,
        authority: MemoryAuthority,
        clock: Clock,
        replica: str,
        limits: LendingLimits,
    ) -> None:
        self._leases = leases
        self._ledger = ledger
        self._journal = journal
        self._authority = authority
        self._replica = replica
        self._exchange = Exchange(leases, ledger, journal.chain_id, replica, limits.term_ms)
        self.lender = Lender(authority=authority, exchange=self._exchange, journal=journal, clock=clock, limits=limits)

    def open(self, budgets: Sequence[Budget], now_ms: int) -> None:
        """Enrol, end the leases of those whose journals have just been recovered, and see that what was spent before
        is known. Raises StoreError."""
        self._exchange.enrol(now_ms)
        ended = bury(self._leases, self._ledger, self._journal.directory, self._replica)
        if ended:
            log.info("ended the leases of workers that had died", extra={"workers": ended})
        open_accounts(self._leases, self._ledger, budgets, now_ms)
        self._authority.preload({})

    def close(self, complete: bool) -> None:
        """After the last line was drained. Where the ledger is not complete, whoever recovers the journal does this."""
        if not complete:
            return
        try:
            end_lease(self._leases, self._ledger, self._journal.chain_id)
        except StoreError as error:
            log.error("this worker's leases stay as they are until the next start: %s", error)
