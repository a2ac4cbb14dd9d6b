"""What a period really cost, by any dimension: contracts applied to the costs of the ledger and of imports.

Contracts decide on what they can see of a use: who sold it, the client, the model, the user, whether it was on a plan.
So they are applied once to the sums by these, piece of time by piece of time, and the result is split over whatever
was asked for by list cost. The total is therefore the same whatever it is broken down by, and parts sum to it exactly.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from msgspec import Struct

from bascule.config.shape import Contract
from bascule.decide.window import span, span_of
from bascule.model.cost_cell import CostCell
from bascule.model.imported import AGENTS, PLAN_TAG, on_plan
from bascule.model.row import RowFilter
from bascule.offline.apportion import apportion
from bascule.offline.contracts import Applied, Cost, Fixed, Piece, Term, Use, apply, boundaries, earliest, end_of

Values = tuple[str | None, ...]
Costs = Callable[[Sequence[str], RowFilter], list[CostCell]]
"""`Analytics.costs`."""

_PLAN = f"tag:{PLAN_TAG}"


class Paid(Struct, kw_only=True):
    """Three costs of some attempts, in nano-USD."""

    list_nanousd: int | None = None
    """The book price, as the ledger has it; None where no attempt's is known."""
    effective_nanousd: int | None = None
    """After contracts; None where nothing is known."""
    marginal_nanousd: int = 0
    """What one more of the same would cost."""
    on_plan_nanousd: int = 0
    """List price of what was used on a plan whose fee no contract tells: not in the effective cost."""
    unpriced_attempts: int = 0
    """In no list price; in the effective cost only where seats or capacity covered them."""

    def plus(self, other: "Paid") -> None:
        self.list_nanousd = _sum(self.list_nanousd, other.list_nanousd)
        self.effective_nanousd = _sum(self.effective_nanousd, other.effective_nanousd)
        self.marginal_nanousd += other.marginal_nanousd
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


def is_used_on_plans(costs: Costs, since_ms: int | None, until_ms: int | None) -> bool:
    """Whether any agent's log says that something was used on a plan."""
    for origin in AGENTS:
        where = RowFilter(since_ms=since_ms, until_ms=until_ms, origin=origin)
        if any(cell.values[0] is not None for cell in costs((_PLAN,), where)):
            return True
    return False


def paid_report(
    costs: Costs,
    contracts: Sequence[Contract],
    by: Sequence[str],
    *,
    since_ms: int | None,
    until_ms: int | None,
    now_ms: int,
    as_metered: bool = False,
) -> PaidReport:
    """Costs of [since, until) after contracts. Without `since_ms` from the first month on that has any; without
    `until_ms` up to the end of today. `as_metered` takes what was used on plans for use by the meter."""
    reading = _Reading(costs, contracts, tuple(by), as_metered)
    found = reading.read(since_ms, until_ms, now_ms)
    since_ms, until_ms = _period(found, since_ms, until_ms, now_ms)
    begin_ms = earliest(contracts, since_ms)
    groups: dict[Values, Paid] = {}
    fixed: dict[tuple[int, str], Fixed] = {}
    warnings: list[str] = []
    terms: list[Term] = []
    for provider in dict.fromkeys([*[c.provider for c in contracts], *[one.key[0] for one in found]]):
        places = [place for place, contract in enumerate(contracts) if contract.provider == provider]
        own = [contracts[place] for place in places]
        cuts = [*boundaries(own, begin_ms, since_ms), *boundaries(own, since_ms, until_ms)]
        parts = _Parts(cuts, [one for one in found if one.key[0] == provider])
        applied = apply(own, parts.pieces(reading), places)
        parts.share(applied, since_ms, groups)
        _add_fixed(fixed, applied, since_ms)
        warnings += applied.warnings
        terms += applied.terms
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
        terms=tuple(sorted(terms, key=lambda term: (term.contract, term.start_ms))),
    )


class _Cell(Struct, frozen=True):
    """A cost, when it fell, what contracts see of it, and the group that it belongs to."""

    at_ms: int
    key: Values
    values: Values
    cost: CostCell


class _Reading:
    """Asks for costs: by what was asked and by what contracts look at, no finer than they need."""

    def __init__(self, costs: Costs, contracts: Sequence[Contract], by: tuple[str, ...], as_metered: bool) -> None:
        self._costs = costs
        self._contracts = contracts
        self._by = by
        self._as_metered = as_metered
        covering = any(contract.covers for contract in contracts)
        seated = any(contract.seats is not None for contract in contracts)
        self.key = ("provider", "origin", _PLAN, *(("client", "model") * covering), *(("user",) * seated))

    def read(self, since_ms: int | None, until_ms: int | None, now_ms: int) -> list[_Cell]:
        begin_ms = None if since_ms is None else earliest(self._contracts, since_ms)
        found: list[_Cell] = []
        for start_ms, end_ms in self._spans(begin_ms, since_ms, until_ms, now_ms):
            before = since_ms is not None and start_ms is not None and start_ms < since_ms
            found += self._span(start_ms, end_ms, () if before else self._by)
        return found

    def _span(self, start_ms: int | None, end_ms: int | None, by: tuple[str, ...]) -> Iterable[_Cell]:
        asked = tuple(dict.fromkeys((*by, "month", *self.key)))
        place = {name: index for index, name in enumerate(asked)}
        by_places, key_places, month_place = [place[n] for n in by], [place[n] for n in self.key], place["month"]
        starts: dict[str, int] = {}
        for cell in self._costs(asked, RowFilter(since_ms=start_ms, until_ms=end_ms)):
            values = cell.values
            month = values[month_place] or ""
            if month not in starts:
                starts[month] = max(span_of(month).start_ms, start_ms or 0)
            key = tuple([values[index] for index in key_places])
            yield _Cell(starts[month], key, tuple([values[index] for index in by_places]), cell)

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

    def use(self, key: Values, list_nanousd: int) -> Use:
        seen = dict(zip(self.key, key, strict=True))
        return Use(
            provider=seen["provider"],
            client=seen.get("client"),
            model=seen.get("model"),
            user=seen.get("user"),
            on_plan=not self._as_metered and on_plan(seen["origin"], seen[_PLAN]),
            list_nanousd=list_nanousd,
        )


class _Parts:
    """The cells of one provider in the pieces of time that its contracts make."""

    def __init__(self, cuts: Sequence[tuple[int, int]], cells: Iterable[_Cell]) -> None:
        self._cuts = cuts
        starts = [start for start, _ in cuts]
        self._cells: list[dict[Values, list[_Cell]]] = [{} for _ in cuts]
        for cell in cells:
            self._cells[bisect_right(starts, cell.at_ms) - 1].setdefault(cell.key, []).append(cell)

    def pieces(self, reading: _Reading) -> list[Piece]:
        return [
            Piece(
                *cut,
                tuple(
                    [reading.use(key, sum([c.cost.cost_nanousd or 0 for c in cells])) for key, cells in found.items()]
                ),
            )
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


def _split(cells: Sequence[_Cell], cost: Cost) -> list[Paid]:
    lists = [cell.cost.cost_nanousd for cell in cells]
    weights = [max(one or 0, 0) for one in lists]
    if not any(weights):
        weights = [1] * len(cells)
    marginal = apportion(cost.marginal_nanousd, weights)
    known = cost.effective_nanousd is not None
    effective = apportion(cost.effective_nanousd or 0, weights)
    return [
        Paid(
            list_nanousd=one,
            # Nothing of it has a price, and no fee was shared out to it: unknown, not free.
            effective_nanousd=share if known and (one is not None or share) else None,
            marginal_nanousd=more,
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
