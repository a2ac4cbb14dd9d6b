"""How each contract is doing: what it cost, what its use would have cost at list price, how much of it was used, what
is left and until when that lasts at the present pace."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from bascule.config.shape import Contract
from bascule.decide.window import DAY_MS
from bascule.offline.contracts import UNUSED_COMMITMENT, Fixed, Term, end_of
from bascule.offline.paid import Costs, PaidReport, paid_report

PACE_DAYS = 30
FORESEEN_MS = 50 * 365 * DAY_MS
"""Nobody's pace of a month says anything of half a century on."""
_BOTTOMLESS = 10**18
"""Nano-USD: a billion dollars."""


class Pot(Struct, frozen=True, kw_only=True):
    """A sum that is drawn down: a commitment or a credit. Money in nano-USD."""

    kind: Literal["commitment", "credit"]
    nanousd: int
    drawn_nanousd: int
    """Since its first day, whatever period is looked at."""
    pace_days: Fraction
    """Days before `at_ms` that the pace is of: thirty, or since its first day."""
    pace_nanousd: int
    """Drawn in those days, or what would have been if there had been enough."""
    at_ms: int
    last_ms: int | None
    """The moment after its last day."""

    @property
    def left_nanousd(self) -> int:
        return self.nanousd - self.drawn_nanousd

    @property
    def runs_out_ms(self) -> int | None:
        """When nothing is left at this pace; None where that is never, after its end, or out of sight. `at_ms` where it
        is now."""
        if self.left_nanousd <= 0:
            return self.at_ms
        if not self.pace_nanousd or not self.pace_days:
            return None
        moment = self.at_ms + round(self.left_nanousd * self.pace_days * DAY_MS / self.pace_nanousd)
        edge = self.at_ms + FORESEEN_MS if self.last_ms is None else self.last_ms
        return moment if moment < edge else None

    @property
    def unused_at_end_nanousd(self) -> int | None:
        """What will be left on its last day at this pace; None where it runs out before, has no end, or has ended."""
        if self.last_ms is None or self.last_ms <= self.at_ms or self.runs_out_ms is not None or not self.pace_days:
            return None
        return self.left_nanousd - round(
            self.pace_nanousd * Fraction(self.last_ms - self.at_ms, DAY_MS) / self.pace_days
        )


class ContractState(Struct, frozen=True, kw_only=True):
    """One contract in a period. Money in nano-USD."""

    place: int
    contract: Contract
    state: Literal["runs", "ended", "begins later"]
    cost_nanousd: int | None
    """Fees, metered use after discount and credit, and what of a commitment was left at its end. None where all that
    it could be is use without a price."""
    list_nanousd: int | None
    """Book price of the use that it applied to; None where none of that has one."""
    unpriced_attempts: int
    """Of that use: in no book price."""
    fee_nanousd: int
    covered_nanousd: int | None
    """Book price of what seats or capacity covered; None as above."""
    people_seats: tuple[tuple[int, int], ...]
    """Seats: start and people of each piece of time, oldest first."""
    seat_use: Fraction | None
    """Share of the paid seat time that somebody used, at most 1."""
    idle_nanousd: int
    """Idle seats, idle capacity, unused commitment."""
    pots: tuple[Pot, ...]

    @property
    def saved_nanousd(self) -> int | None:
        """Against list price; below zero where it cost more."""
        if self.list_nanousd is None or self.cost_nanousd is None:
            return None
        return self.list_nanousd - self.cost_nanousd

    @property
    def fee_use(self) -> Fraction | None:
        """Book price of what seats or capacity covered, over their fee: from 1 on they paid."""
        if self.covered_nanousd is None or not self.fee_nanousd:
            return None
        return Fraction(self.covered_nanousd, self.fee_nanousd)


class _Pace(Struct, frozen=True):
    days: Fraction = Fraction(0)
    drawn_nanousd: tuple[int, int] = (0, 0)
    """Of the commitment and of the credit."""


def contract_states(
    costs: Costs, contracts: Sequence[Contract], report: PaidReport, now_ms: int
) -> tuple[ContractState, ...]:
    """`report` of the period by whatever; `costs` are asked once more for the pace of sums that are drawn down."""
    at_ms = min(report.until_ms, now_ms)
    drawn = {place: _drawn(report.terms, place, at_ms) for place in range(len(contracts))}
    pace = _pace(costs, contracts, drawn, at_ms)
    return tuple(
        [_state(place, contract, report, drawn[place], pace, at_ms) for place, contract in enumerate(contracts)]
    )


def _state(
    place: int,
    contract: Contract,
    report: PaidReport,
    drawn: tuple[int, int],
    pace: dict[int, _Pace],
    at_ms: int,
) -> ContractState:
    terms = [term for term in report.terms if term.contract == place and term.start_ms >= report.since_ms]
    fixed: list[Fixed] = [line for line in report.fixed if line.contract == place]
    fee = sum([term.fee_nanousd for term in terms])
    covered = sum([term.covered_nanousd for term in terms])
    metered = sum([term.metered_nanousd for term in terms])
    off = sum([term.off_nanousd + term.credited_nanousd for term in terms])
    unused = sum([line.nanousd for line in fixed if line.what == UNUSED_COMMITMENT])
    unpriced = sum([term.unpriced_attempts for term in terms])
    is_unknown = unpriced > 0 and not covered and not metered
    ended, begins = end_of(contract), contract.from_ms
    return ContractState(
        place=place,
        contract=contract,
        state="ended" if ended is not None and ended <= at_ms else "begins later" if (begins or 0) > at_ms else "runs",
        cost_nanousd=None if is_unknown and not fee and not unused else fee + metered - off + unused,
        list_nanousd=None if is_unknown else covered + metered,
        unpriced_attempts=unpriced,
        fee_nanousd=fee,
        covered_nanousd=None if is_unknown else covered,
        people_seats=tuple([(term.start_ms, term.people) for term in terms]) if contract.seats is not None else (),
        seat_use=_seat_use(contract, terms),
        idle_nanousd=sum([line.nanousd for line in fixed]),
        pots=tuple(_pots(contract, drawn, pace.get(place, _Pace()), at_ms)),
    )


def _pots(contract: Contract, drawn: tuple[int, int], pace: _Pace, at_ms: int) -> list[Pot]:
    made = []
    sums: list[tuple[Literal["commitment", "credit"], int | None]] = [
        ("commitment", contract.commitment_nanousd),
        ("credit", contract.credit_nanousd),
    ]
    for place, (kind, nanousd) in enumerate(sums):
        if nanousd is not None:
            made.append(
                Pot(
                    kind=kind,
                    nanousd=nanousd,
                    drawn_nanousd=drawn[place],
                    pace_days=pace.days,
                    pace_nanousd=pace.drawn_nanousd[place],
                    at_ms=at_ms,
                    last_ms=end_of(contract),
                )
            )
    return made


def _seat_use(contract: Contract, terms: Sequence[Term]) -> Fraction | None:
    paid = sum([(contract.seats or 0) * (term.end_ms - term.start_ms) for term in terms])
    used = sum([min(term.people, contract.seats or 0) * (term.end_ms - term.start_ms) for term in terms])
    return Fraction(used, paid) if paid else None


def _drawn(terms: Sequence[Term], place: int, at_ms: int) -> tuple[int, int]:
    own = [term for term in terms if term.contract == place and term.start_ms < at_ms]
    return sum([term.committed_nanousd for term in own]), sum([term.credited_nanousd for term in own])


def _pace(
    costs: Costs, contracts: Sequence[Contract], drawn: dict[int, tuple[int, int]], at_ms: int
) -> dict[int, _Pace]:
    """By contract, what commitment and credit drew as if they had no bottom.

    Those that are empty stay empty, so that what follows them in the configuration has its own pace.
    """
    since_ms = at_ms - PACE_DAYS * DAY_MS
    if all(c.commitment_nanousd is None and c.credit_nanousd is None for c in contracts):
        return {}
    bottomless = [
        replace(
            contract,
            from_ms=None if contract.from_ms is None or contract.from_ms <= since_ms else contract.from_ms,
            commitment_nanousd=_without_bottom(contract.commitment_nanousd, drawn[place][0]),
            credit_nanousd=_without_bottom(contract.credit_nanousd, drawn[place][1]),
        )
        for place, contract in enumerate(contracts)
    ]
    found = paid_report(costs, bottomless, (), since_ms=since_ms, until_ms=at_ms, now_ms=at_ms)
    pace: dict[int, _Pace] = {}
    for place, contract in enumerate(contracts):
        first_ms = max(contract.from_ms or since_ms, since_ms)
        pace[place] = _Pace(Fraction(max(at_ms - first_ms, 0), DAY_MS), _drawn(found.terms, place, at_ms))
    return pace


def _without_bottom(nanousd: int | None, drawn: int) -> int | None:
    return nanousd if nanousd is None else 0 if drawn >= nanousd else _BOTTOMLESS
