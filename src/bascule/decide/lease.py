"""How several workers share budgets: what the authority grants, refuses and asks back. Pure; money in nano-USD.

An account is one counter (a concrete scope in one window). Each worker that spends from it has a lease: a ceiling that
its own settled and held spend stays under. Everything is cumulative for the worker's life, so that saying the same
thing twice changes nothing, and a lost answer leaves the worker with less than it was granted, never with more.

    closed + sum of max(ceiling, settled + held) over all leases <= limit

holds after every exchange, because a ceiling is only raised by what is free. A worker that dies leaves its lease where
it is; `close` replaces it by what its chain in the ledger says that it has spent.

What lies idle in leases is asked back (`recall`) when somebody else needs it, and a worker answers at its next
exchange. Only when all have answered is it certain that the money is not there. For a while after a recall nothing is
granted ahead, so that what comes back is there for whoever needs it.
"""

from collections.abc import Collection, Sequence

from msgspec import Struct

QUIET_MS = 1_000
"""After a recall, how long nothing is granted ahead."""


class Lease(Struct):
    """One worker's share of an account."""

    ceiling_nanousd: int = 0
    """How far `settled + held` of this worker may go."""
    settled_nanousd: int = 0
    held_nanousd: int = 0
    answered: int = 0
    """The last recall that this worker has answered."""

    @property
    def charge_nanousd(self) -> int:
        """What nobody else may spend. Above the ceiling only where an `expected` budget was wrong, or a limit fell."""
        used = self.settled_nanousd + self.held_nanousd
        return used if used > self.ceiling_nanousd else self.ceiling_nanousd

    @property
    def open_nanousd(self) -> int:
        """Held or idle: what may yet come back."""
        return self.charge_nanousd - self.settled_nanousd

    @property
    def idle_nanousd(self) -> int:
        return self.charge_nanousd - self.settled_nanousd - self.held_nanousd


class Account(Struct):
    """One counter, as the authority keeps it."""

    closed_nanousd: int = 0
    """Spent by chains that nobody writes any more."""
    recall: int = 0
    """How often idle shares were asked back."""
    quiet_until_ms: int = 0
    """Nothing is granted ahead until then."""
    leases: dict[str, Lease] = {}

    def free_nanousd(self, limit_nanousd: int) -> int:
        """What is in no lease; negative where a limit was lowered or an estimate was wrong."""
        return limit_nanousd - self.closed_nanousd - sum([lease.charge_nanousd for lease in self.leases.values()])

    def is_answered(self, holder: str, live: Collection[str]) -> bool:
        """True where no other living worker has money that it was asked for and has not spoken about since."""
        recall = self.recall
        return not any(
            lease.answered < recall and lease.open_nanousd and other != holder and other in live
            for other, lease in self.leases.items()
        )

    def has_idle(self, holder: str, live: Collection[str]) -> bool:
        """True where another living worker could give something back at once."""
        return any(lease.idle_nanousd and other != holder and other in live for other, lease in self.leases.items())


class Report(Struct, frozen=True, kw_only=True):
    """What a worker says of its lease."""

    limit_nanousd: int | None
    """The lowest limit of the budgets on this counter that refuse; None where none does."""
    settled_nanousd: int
    held_nanousd: int
    ceiling_nanousd: int
    """As far as it will go. What it was granted beyond that is given back."""
    answered: int = 0
    spend_nanousd: int = 0
    """What it has been holding lately in the time that it wants to be ahead of, a second as a rule."""
    hold_nanousd: int = 0
    """The largest hold of late."""


class Standing(Struct, frozen=True, kw_only=True):
    """What a worker hears of an account: its own ceiling, and what the others had said by then."""

    ceiling_nanousd: int
    recall: int
    quiet_until_ms: int
    settled_elsewhere_nanousd: int
    """By other workers, and by chains that are closed. All that a worker held whose term has ended is among it."""
    held_elsewhere_nanousd: int
    idle_elsewhere_nanousd: int
    """Granted to others and not held."""


class Need(Struct, frozen=True, kw_only=True):
    """One attempt that waits for money: in all of its accounts, or in none."""

    amount_nanousd: int
    accounts: tuple[int, ...]
    """Positions in the exchange."""
    kept_nanousd: tuple[int, ...] = ()
    """Of each account's limit, kept back from this attempt; empty for nothing."""
    recalls: tuple[int, ...] = ()
    """Of each account, the recall that was made for this attempt; 0 for none. Empty for none at all."""


class Verdict(Struct, frozen=True, kw_only=True):
    """What became of one need."""

    is_granted: bool
    """The worker's ceilings now cover it, together with those granted before it."""
    is_final: bool
    """It is not granted and nobody has anything to give back: the money is spent or held."""
    recalls: tuple[int, ...] = ()
    """To be named with the next exchange."""


def slice_nanousd(free_nanousd: int, workers: int, spend_nanousd: int, hold_nanousd: int) -> int:
    """How much may lie ready with one worker: what it is about to spend, half of a fair share at most.

    Nothing where what is free is under a hold for every worker: holds then go to the authority one by one.
    """
    if hold_nanousd <= 0 or free_nanousd < workers * hold_nanousd:
        return 0
    return min(free_nanousd // (2 * workers), spend_nanousd)


def exchange(
    holder: str,
    accounts: Sequence[Account],
    reports: Sequence[Report],
    needs: Sequence[Need],
    live: Collection[str],
    now_ms: int,
) -> tuple[Verdict, ...]:
    """Take a worker's reports, then serve what it needs in that order; `accounts` are changed in place.

    `live` are the workers whose term has not ended, this one among them.
    """
    mine = [_take(holder, account, report) for account, report in zip(accounts, reports, strict=True)]
    promised = [0] * len(accounts)
    verdicts = tuple([_serve(need, holder, accounts, reports, mine, promised, live, now_ms) for need in needs])
    for at, (account, report, lease) in enumerate(zip(accounts, reports, mine, strict=True)):
        if report.limit_nanousd is None or not report.spend_nanousd or now_ms < account.quiet_until_ms:
            continue
        free = account.free_nanousd(report.limit_nanousd)
        spare = lease.ceiling_nanousd - lease.settled_nanousd - lease.held_nanousd - promised[at]
        ahead = slice_nanousd(free, len(live), report.spend_nanousd, report.hold_nanousd)
        if ahead > spare:
            lease.ceiling_nanousd += min(ahead - spare, free)
    return verdicts


def standing(holder: str, account: Account, live: Collection[str]) -> Standing:
    """What a worker is told, and with no worker's name what anybody may know."""
    settled, held, idle = account.closed_nanousd, 0, 0
    for other, lease in account.leases.items():
        if other == holder:
            continue
        if other not in live:
            # Nobody will say more until its journal is found: taken for spent, so that no hold stays open for ever.
            settled += lease.charge_nanousd
            continue
        settled += lease.settled_nanousd
        held += lease.held_nanousd
        idle += lease.open_nanousd - lease.held_nanousd
    own = account.leases.get(holder)
    return Standing(
        ceiling_nanousd=0 if own is None else own.ceiling_nanousd,
        recall=account.recall,
        quiet_until_ms=account.quiet_until_ms,
        settled_elsewhere_nanousd=settled,
        held_elsewhere_nanousd=held,
        idle_elsewhere_nanousd=idle,
    )


def close(holder: str, account: Account, spent_nanousd: int) -> None:
    """End a worker's lease: what its chain has spent stays, all else is free again. Repeating it changes nothing,
    as long as the caller asks only for workers that are still enrolled."""
    account.leases.pop(holder, None)
    account.closed_nanousd += spent_nanousd


def _take(holder: str, account: Account, report: Report) -> Lease:
    lease = account.leases.get(holder)
    if lease is None:
        lease = account.leases[holder] = Lease()
    lease.settled_nanousd = report.settled_nanousd
    lease.held_nanousd = report.held_nanousd
    # What was spent without a grant (before a budget was made, or beyond an estimate) is charged as it is.
    used = report.settled_nanousd + report.held_nanousd
    lease.ceiling_nanousd = max(used, min(lease.ceiling_nanousd, report.ceiling_nanousd))
    lease.answered = max(lease.answered, min(report.answered, account.recall))
    return lease


def _serve(
    need: Need,
    holder: str,
    accounts: Sequence[Account],
    reports: Sequence[Report],
    mine: Sequence[Lease],
    promised: list[int],
    live: Collection[str],
    now_ms: int,
) -> Verdict:
    short: list[int] = []
    raises: list[tuple[Lease, int]] = []
    for place, at in enumerate(need.accounts):
        limit = reports[at].limit_nanousd
        if limit is None:
            continue
        lease = mine[at]
        spare = lease.ceiling_nanousd - lease.settled_nanousd - lease.held_nanousd - promised[at]
        lacks = need.amount_nanousd - spare
        if lacks <= 0:
            continue
        kept = need.kept_nanousd[place] if need.kept_nanousd else 0
        if lacks <= accounts[at].free_nanousd(limit - kept):
            raises.append((lease, lacks))
        else:
            short.append(place)
    if not short:
        for lease, lacks in raises:
            lease.ceiling_nanousd += lacks
        for at in need.accounts:
            promised[at] += need.amount_nanousd
        return Verdict(is_granted=True, is_final=True)
    return _wanting(need, short, holder, accounts, live, now_ms)


def _wanting(
    need: Need, short: Sequence[int], holder: str, accounts: Sequence[Account], live: Collection[str], now_ms: int
) -> Verdict:
    """Ask back what the accounts that are short may have lying idle, once for each need."""
    recalls = list(need.recalls or [0] * len(need.accounts))
    is_final = False
    for place in short:
        account = accounts[need.accounts[place]]
        if account.is_answered(holder, live) and (not recalls[place] or account.has_idle(holder, live)):
            account.recall += 1
            account.quiet_until_ms = now_ms + QUIET_MS
        recalls[place] = account.recall
        # One account that has nothing is enough: the attempt needs all of them.
        is_final = is_final or account.is_answered(holder, live)
    return Verdict(is_granted=False, is_final=is_final, recalls=tuple(recalls))
