"""What a period really cost, by any dimension: contracts applied to the costs of the ledger and of imports.

All that contracts see of a use is which of them cover it, whose it is where they are seats, and whether it was on a
plan. So they are applied once to the sums by these, piece of time by piece of time, and the result is split over
whatever was asked for by list cost. The total is therefore the same whatever it is broken down by, and parts sum to it
exactly.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from bascule.config.shape import Contract
from bascule.decide.window import span, span_of
from bascule.model.cost_cell import CostCell, Cover
from bascule.model.report import TERMS, Terms
from bascule.model.row import RowFilter
from bascule.offline.apportion import apportion
from bascule.offline.contracts import (
    Applied,
    Cost,
    Fixed,
    Piece,
    Term,
    Use,
    apply,
    boundaries,
    cover_of,
    earliest,
    end_of,
)

Values = tuple[str | None, ...]


class Costs(Protocol):
    """`Analytics.costs`."""

    def __call__(
        self, by: Sequence[str], where: RowFilter, *, covers: Sequence[Cover] = (), terms: Terms = TERMS
    ) -> list[CostCell]: ...


class Paid(Struct, kw_only=True):
    """Three costs of some attempts, in nano-USD."""

    list_nanousd: int | None = None
    """The book price, as the ledger has it; None where no attempt's is known."""
    effective_nanousd: int | None = None
    """After contracts; None where nothing is known."""
    marginal_nanousd: int | None = None
    """What one more of the same would cost; None where nothing is known."""
    fee_nanousd: int = 0
    """Of the effective cost: shares of the fees of seats and capacity, which no use raised."""
    on_plan_nanousd: int = 0
    """List price of what was used on a plan whose fee no contract tells: not in the effective cost."""
    unpriced_attempts: int = 0
    """In no list price; in the effective cost only where seats or capacity covered them."""

    @property
    def metered_list_nanousd(self) -> int | None:
        """List price of all but what was used on such a plan; None where there is such use and none has a price."""
        if self.list_nanousd is None:
            return None if self.unpriced_attempts else 0
        return self.list_nanousd - self.on_plan_nanousd

    def plus(self, other: "Paid") -> None:
        self.list_nanousd = _sum(self.list_nanousd, other.list_nanousd)
        self.effective_nanousd = _sum(self.effective_nanousd, other.effective_nanousd)
        self.marginal_nanousd = _sum(self.marginal_nanousd, other.marginal_nanousd)
        self.fee_nanousd += other.fee_nanousd
        self.on_plan_nanousd += other.on_plan_nanousd
        self.unpriced_attempts += other.unpriced_attempts


class PaidReport(Struct, frozen=True, kw_only=True):
    """What a period cost, in total and by group."""

    by: tuple[str, ...]
    since_ms: int
    until_ms: int
    """Fees are counted for this period."""
    groups: dict[Values, Paid]
    total: Paid
    fixed: tuple[Fixed, ...]
    """Paid for nothing that was used; one line for each contract and kind."""
    warnings: tuple[str, ...]
    terms: tuple[Term, ...]
    """What each contract did, piece by piece, drawn-down sums from their beginning."""

    @property
    def fixed_nanousd(self) -> int:
        return sum([line.nanousd for line in self.fixed])

    @property
    def paid_nanousd(self) -> int:
        """All that is known to be paid: effective costs and fixed lines."""
        return (self.total.effective_nanousd or 0) + self.fixed_nanousd


def needed(contracts: Sequence[Contract], since_ms: int | None, until_ms: int | None) -> RowFilter:
    """All rows that `paid_report` and `contract_states` ask about for a period."""
    return RowFilter(since_ms=None if since_ms is None else earliest(contracts, since_ms), until_ms=until_ms)


def paid_report(
    costs: Costs,
    contracts: Sequence[Contract],
    by: Sequence[str],
    *,
    since_ms: int | None,
    until_ms: int | None,
    now_ms: int,
    as_metered: bool = False,
    terms: Terms = TERMS,
) -> PaidReport:
    """Costs of [since, until) after contracts. Without `since_ms` from the first month on that has any; without
    `until_ms` up to the end of today. `as_metered` takes what was used on plans for use by the meter."""
    reading = _Reading(costs, contracts, tuple(by), terms, as_metered=as_metered)
    found = reading.read(since_ms, until_ms, now_ms)
    since_ms, until_ms = _period(found, since_ms, until_ms, now_ms)
    begin_ms = earliest(contracts, since_ms)
    groups: dict[Values, Paid] = {}
    fixed: dict[tuple[int, str], Fixed] = {}
    warnings: list[str] = []
    done: list[Term] = []
    for provider in dict.fromkeys([*[contract.provider for contract in contracts], None]):
        places = [place for place, contract in enumerate(contracts) if contract.provider == provider]
        own = [contracts[place] for place in places]
        cuts = [*boundaries(own, begin_ms, since_ms), *boundaries(own, since_ms, until_ms)]
        parts = _Parts(cuts, [one for one in found if one.use.provider == provider])
        applied = apply(own, parts.pieces(), places)
        parts.share(applied, since_ms, groups)
        _add_fixed(fixed, applied, since_ms)
        warnings += applied.warnings
        done += applied.terms
    total = Paid()
    for group in groups.values():
        total.plus(group)
    return PaidReport(
        by=tuple(by),
        since_ms=since_ms,
        until_ms=until_ms,
        groups=groups,
        total=total,
        fixed=tuple([fixed[key] for key in sorted(fixed)]),
        warnings=tuple(warnings),
        terms=tuple(sorted(done, key=lambda term: (term.contract, term.start_ms))),
    )


class _Cell(Struct, frozen=True):
    """A cost, when it fell, what contracts see of it (without an amount), and the group that it belongs to."""

    at_ms: int
    seen: int
    """Which of the different uses it is."""
    use: Use
    cost: CostCell
    values: Values


class _Reading:
    """Asks for costs by what was asked and by what covers them, and so no finer than contracts look."""

    def __init__(
        self, costs: Costs, contracts: Sequence[Contract], by: tuple[str, ...], terms: Terms, *, as_metered: bool
    ) -> None:
        self._costs = costs
        self._contracts = contracts
        self._covers = tuple([cover_of(contract) for contract in contracts])
        self._by = by
        self._terms = terms
        self._as_metered = as_metered
        self._uses: dict[tuple[int, str | None, bool], tuple[int, Use]] = {}

    def read(self, since_ms: int | None, until_ms: int | None, now_ms: int) -> list[_Cell]:
        begin_ms = None if since_ms is None else earliest(self._contracts, since_ms)
        found: list[_Cell] = []
        for start_ms, end_ms in self._spans(begin_ms, since_ms, until_ms, now_ms):
            before = since_ms is not None and start_ms is not None and start_ms < since_ms
            found += self._span(start_ms, end_ms, () if before else self._by)
        return found

    def _span(self, start_ms: int | None, end_ms: int | None, by: tuple[str, ...]) -> Iterable[_Cell]:
        asked = (*by, "month")
        where = RowFilter(since_ms=start_ms, until_ms=end_ms)
        starts: dict[str, int] = {}
        for cell in self._costs(asked, where, covers=self._covers, terms=self._terms):
            month = cell.values[-1] or ""
            if month not in starts:
                starts[month] = max(span_of(month).start_ms, start_ms or 0)
            seen, use = self._use(cell)
            yield _Cell(starts[month], seen, use, cell, cell.values[:-1])

    def _use(self, cell: CostCell) -> tuple[int, Use]:
        key = (cell.covered, cell.user, cell.on_plan)
        found = self._uses.get(key)
        if found is None:
            places = frozenset([place for place in range(len(self._covers)) if cell.covered >> place & 1])
            use = Use(
                provider=self._covers[min(places)].provider if places else None,
                user=cell.user,
                on_plan=cell.on_plan and not self._as_metered,
                covered=places,
                list_nanousd=0,
            )
            found = self._uses[key] = len(self._uses), use
        return found

    def _spans(
        self, begin_ms: int | None, since_ms: int | None, until_ms: int | None, now_ms: int
    ) -> Iterable[tuple[int | None, int | None]]:
        """As few as can be asked for with their months told apart: cut where contracts begin or end within one."""
        edges = {edge for c in self._contracts for edge in (c.from_ms, end_of(c)) if edge is not None}
        cuts = {edge for edge in edges if edge != span("month", edge).start_ms}
        if since_ms is not None:
            cuts.add(since_ms)
        low, high = begin_ms or 0, now_ms if until_ms is None else until_ms
        return pairwise([begin_ms, *sorted([cut for cut in cuts if low < cut < high]), until_ms])


class _Parts:
    """The cells of one provider in the pieces of time that its contracts make."""

    def __init__(self, cuts: Sequence[tuple[int, int]], cells: Iterable[_Cell]) -> None:
        self._cuts = cuts
        starts = [start for start, _ in cuts]
        self._cells: list[dict[int, list[_Cell]]] = [{} for _ in cuts]
        for cell in cells:
            self._cells[bisect_right(starts, cell.at_ms) - 1].setdefault(cell.seen, []).append(cell)

    def pieces(self) -> list[Piece]:
        return [
            Piece(*cut, tuple([_priced(cells) for cells in found.values()]))
            for cut, found in zip(self._cuts, self._cells, strict=True)
        ]

    def share(self, applied: Applied, since_ms: int, groups: dict[Values, Paid]) -> None:
        """Split what each use cost over the groups that it is of."""
        for (start_ms, _), found, costs in zip(self._cuts, self._cells, applied.costs, strict=True):
            if start_ms < since_ms:
                continue
            for cells, cost in zip(found.values(), costs, strict=True):
                for cell, paid in zip(cells, _split(cells, cost), strict=True):
                    group = groups.get(cell.values)
                    if group is None:
                        groups[cell.values] = paid
                    else:
                        group.plus(paid)


def _priced(cells: Sequence[_Cell]) -> Use:
    return replace(
        cells[0].use,
        list_nanousd=sum([cell.cost.cost_nanousd or 0 for cell in cells]),
        unpriced_attempts=sum([cell.cost.unpriced_attempts for cell in cells]),
    )


def _split(cells: Sequence[_Cell], cost: Cost) -> list[Paid]:
    lists = [cell.cost.cost_nanousd for cell in cells]
    weights = [max(one or 0, 0) for one in lists]
    if not any(weights):
        weights = [1] * len(cells)
    marginal = apportion(cost.marginal_nanousd, weights)
    known = cost.effective_nanousd is not None
    effective = apportion(cost.effective_nanousd or 0, weights)
    # A use is paid by fees or by the meter, never by both.
    is_fee = cost.fee_nanousd != 0
    return [
        Paid(
            list_nanousd=one,
            # Nothing of it has a price, and no fee was shared out to it: unknown, not free.
            effective_nanousd=share if known and (one is not None or share) else None,
            marginal_nanousd=more if one is not None or is_fee else None,
            fee_nanousd=share if is_fee else 0,
            on_plan_nanousd=0 if known else one or 0,
            unpriced_attempts=cell.cost.unpriced_attempts,
        )
        for cell, one, share, more in zip(cells, lists, effective, marginal, strict=True)
    ]


def _period(found: Sequence[_Cell], since_ms: int | None, until_ms: int | None, now_ms: int) -> tuple[int, int]:
    """The period that fees are counted for."""
    last_ms = max([cell.at_ms for cell in found], default=None)
    if until_ms is None:
        until_ms = span("day", now_ms).end_ms or now_ms
        if last_ms is not None and last_ms >= until_ms:  # a clock went ahead; its rows are there all the same
            until_ms = span("month", last_ms).end_ms or until_ms
    if since_ms is None:
        since_ms = min([cell.at_ms for cell in found], default=until_ms)
    return min(since_ms, until_ms), until_ms


def _add_fixed(fixed: dict[tuple[int, str], Fixed], applied: Applied, since_ms: int) -> None:
    for line in applied.fixed:
        if line.start_ms >= since_ms:
            key = (line.contract, line.what)
            first = fixed.get(key)
            more = 0 if first is None else first.nanousd
            at = line.start_ms if first is None else first.start_ms
            fixed[key] = Fixed(line.contract, line.what, at, line.nanousd + more)


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other
