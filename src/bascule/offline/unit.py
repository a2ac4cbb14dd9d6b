"""Cost and margin per unit of a business: a customer, a feature, a plan.

What has no unit stands apart; it is spread over units only where a rule of `chargeback` is asked for. A revenue that
nobody has told is unknown, and so is its margin. The free tier is what is told to bring in nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

from msgspec import Struct
from msgspec.structs import replace

from bascule.model.imported import AGENTS, PLAN_TAG, on_plan
from bascule.model.report import Cell
from bascule.model.sums import Sums
from bascule.offline.chargeback import Rule, charge_back
from bascule.offline.paid import Paid, PaidReport
from bascule.offline.percentile import percentile
from bascule.offline.revenue import Revenue

Values = tuple[str | None, ...]

_PLAN = f"tag:{PLAN_TAG}"


class Kind(Struct, frozen=True, kw_only=True):
    """What a unit is, and where it is read from."""

    name: str
    dimensions: tuple[str, ...]
    """What to group by."""
    says: str
    has_plans: bool = False
    """A unit of it is on a plan (tag `plan`) that may have a price."""

    def unit_of(self, values: Values) -> str | None:
        """The unit of a group by `dimensions`. Own developers are no customers, nor is the plan that their coding
        agents ran on one of the business."""
        if self.name == "customer":
            customer, user, origin = values
            return customer if customer is not None or origin in AGENTS else user
        if self.name == "plan":
            plan, origin = values
            return None if on_plan(origin, plan) else plan
        return values[0]


_KINDS = {
    "customer": Kind(
        name="customer",
        dimensions=("tag:customer", "user", "origin"),
        says="tag `customer`, else the end user's id (`user`); coding agents' own users are none",
        has_plans=True,
    ),
    "feature": Kind(name="feature", dimensions=("tag:feature",), says="tag `feature`"),
    "plan": Kind(name="plan", dimensions=(_PLAN, "origin"), says="tag `plan`; its revenue is that of its customers"),
    "user": Kind(name="user", dimensions=("user",), says="the end user's id (`user`)", has_plans=True),
}
NAMES = (*_KINDS, "tag:K")
CUSTOMER = _KINDS["customer"]


def kind_of(name: str) -> Kind:
    """Raises ValueError with all there are."""
    kind, colon, tag = name.partition(":")
    if kind == "tag" and colon and tag:
        return Kind(name=name, dimensions=(name,), says=f"tag `{tag}`")
    if name not in _KINDS:
        raise ValueError(f"nothing is sold by {name!r}; there are {', '.join(NAMES)}")
    return _KINDS[name]


class Unit(Struct, frozen=True, kw_only=True):
    """One unit. Money in nano-USD."""

    name: str
    plan: str | None = None
    requests: int = 0
    sessions: int = 0
    """Different ones; requests without a session are in none."""
    paid: Paid
    shared_nanousd: int = 0
    """Its part of what has no unit, by the rule that was asked for."""
    cost_nanousd: int | None
    """Effective cost and shared part; None is unknown."""
    unknown_attempts: int = 0
    """Attempts without a price: the cost is at least what is told."""
    revenue_nanousd: int | None = None

    @property
    def margin_nanousd(self) -> int | None:
        if self.revenue_nanousd is None or self.cost_nanousd is None:
            return None
        return self.revenue_nanousd - self.cost_nanousd

    @property
    def is_below_zero(self) -> bool:
        return (self.margin_nanousd or 0) < 0

    @property
    def cost_per_request(self) -> int | None:
        return _each(self.cost_nanousd, self.requests)

    @property
    def cost_per_session(self) -> int | None:
        return _each(self.cost_nanousd, self.sessions)


class FreeTier(Struct, frozen=True, kw_only=True):
    """Units that bring in nothing, as was told, and who carries them."""

    units: int
    cost_nanousd: int
    cost_share: Fraction | None
    """Of the cost of all units."""
    per_unit_nanousd: int | None
    paying_units: int
    per_paying_unit_nanousd: int | None
    """What each paying unit carries of it, evenly."""
    share_of_revenue: Fraction | None


class Units(Struct, frozen=True, kw_only=True):
    kind: Kind
    rule: Rule
    units: tuple[Unit, ...]
    """Those below zero first, paying ones before free ones, the greatest loss first; then the dearest first."""
    apart: Paid
    """What has no unit."""
    apart_requests: int
    fixed_nanousd: int
    """Paid for nothing that was used: idle seats, unused commitments."""
    unsplit_nanousd: int
    """Of what has no unit and of the fixed lines: not in any unit's cost."""
    cost_p50_nanousd: int | None
    cost_p90_nanousd: int | None
    """Of units with a known cost and any use, by nearest rank."""
    free: FreeTier | None
    """None where no revenue was told at all."""

    @property
    def cost_nanousd(self) -> int:
        return sum([unit.cost_nanousd or 0 for unit in self.units])

    @property
    def told(self) -> list[Unit]:
        """The units whose margin is known."""
        return [unit for unit in self.units if unit.margin_nanousd is not None]

    @property
    def margin_nanousd(self) -> int | None:
        """Of the units whose margin is known."""
        return sum([unit.margin_nanousd or 0 for unit in self.told]) if self.told else None


def units_of(
    kind: Kind,
    cells: Iterable[Cell],
    report: PaidReport,
    revenue: Revenue | None = None,
    *,
    plans: Mapping[str, str] | None = None,
    rule: Rule = "none",
    unlisted_free: bool = False,
) -> Units:
    """`cells` of `unit_cells`, `report` by `kind.dimensions`; `plans`: the plan of each customer."""
    seen = _Seen(kind, cells, report)
    part, unsplit = seen.split(rule)
    told = None if revenue is None else _Told(kind, revenue, plans or {}, report, unlisted_free=unlisted_free)
    names = dict.fromkeys([*seen.paid, *(told.names if told is not None else ())])
    own_plans = (plans or {}) if kind.has_plans else {}
    units = [
        seen.unit(name, own_plans.get(name), part.get(name, 0), None if told is None else told.of(name))
        for name in names
    ]
    units.sort(key=_order)
    used = sorted([unit.cost_nanousd for unit in units if unit.cost_nanousd is not None and unit.name in seen.paid])
    return Units(
        kind=kind,
        rule=rule,
        units=tuple(units),
        apart=seen.apart,
        apart_requests=seen.apart_sums.requests,
        fixed_nanousd=report.fixed_nanousd,
        unsplit_nanousd=unsplit,
        cost_p50_nanousd=percentile(used, 50),
        cost_p90_nanousd=percentile(used, 90),
        free=None if revenue is None else _free_tier(units),
    )


CUSTOMERS_PLANS = (*CUSTOMER.dimensions, _PLAN)


def unit_cells(ask: Callable[[Sequence[str]], list[Cell]], kind: Kind) -> list[Cell]:
    """Sums by unit. A session or request of a customer counts once, however many users of it took part."""
    if kind != CUSTOMER:
        return ask(kind.dimensions)
    tagged = [replace(cell, values=(cell.values[0], None, None)) for cell in ask(kind.dimensions[:1])]
    users = ask(kind.dimensions)
    return [cell for cell in tagged if cell.values[0] is not None] + [c for c in users if c.values[0] is None]


def plans_of(cells: Iterable[Cell]) -> dict[str, str]:
    """The plan of each customer: the one with most of its requests. `cells` by `CUSTOMERS_PLANS`."""
    seen: dict[str, dict[str, int]] = {}
    for cell in cells:
        customer, user, origin, plan = cell.values
        name = CUSTOMER.unit_of((customer, user, origin))
        if name is not None and plan is not None and not on_plan(origin, plan):
            counts = seen.setdefault(name, {})
            counts[plan] = counts.get(plan, 0) + cell.sums.requests
    return {name: min(counts, key=lambda plan: (-counts[plan], plan)) for name, counts in seen.items()}


class _Seen:
    """What was used, by unit."""

    def __init__(self, kind: Kind, cells: Iterable[Cell], report: PaidReport) -> None:
        self._report = report
        self._kind = kind
        self.paid: dict[str, Paid] = {}
        self.apart = Paid()
        for values, paid in report.groups.items():
            name = kind.unit_of(values)
            (self.apart if name is None else self.paid.setdefault(name, Paid())).plus(paid)
        self.sums: dict[str, Sums] = {}
        self.sessions: dict[str, int] = {}
        self.apart_sums = Sums()
        for cell in cells:
            name = kind.unit_of(cell.values)
            if name is None:
                self.apart_sums = self.apart_sums.plus(cell.sums)
                continue
            self.paid.setdefault(name, Paid())
            self.sums[name] = self.sums.get(name, Sums()).plus(cell.sums)
            self.sessions[name] = self.sessions.get(name, 0) + (cell.sessions or 0)

    def split(self, rule: Rule) -> tuple[dict[str, int], int]:
        """What has no unit, and the fixed lines, by a rule of chargeback: parts, and what is left."""
        pool = (self.apart.effective_nanousd or 0) + self._report.fixed_nanousd
        own = [_cell(name, self.sums.get(name, Sums()), paid.effective_nanousd) for name, paid in self.paid.items()]
        made = charge_back(self._kind.name, [*own, _cell(None, self.apart_sums, pool)], rule)
        return {owner.name: owner.part_nanousd for owner in made.owners}, made.unsplit_nanousd

    def unit(self, name: str, plan: str | None, part: int, revenue: int | None) -> Unit:
        paid = self.paid.get(name)
        sums = self.sums.get(name, Sums())
        cost = 0 if paid is None else paid.effective_nanousd
        return Unit(
            name=name,
            plan=plan,
            requests=sums.requests,
            sessions=self.sessions.get(name, 0),
            paid=paid or Paid(),
            shared_nanousd=part,
            # Nothing was used: that costs nothing. Something was, and none of it has a price: unknown.
            cost_nanousd=None if cost is None else cost + part,
            unknown_attempts=0 if paid is None else paid.unpriced_attempts,
            revenue_nanousd=revenue,
        )


class _Told:
    """What the revenue file tells of units."""

    def __init__(
        self, kind: Kind, revenue: Revenue, plans: Mapping[str, str], report: PaidReport, *, unlisted_free: bool
    ) -> None:
        self._kind = kind
        self._revenue = revenue
        self._plans = plans
        self._period = (report.since_ms, report.until_ms)
        self._else = 0 if unlisted_free else None

    @property
    def names(self) -> Iterable[str]:
        """Units that bring something in whether they use anything or not."""
        return self._revenue.plans if self._kind.name == "plan" else self._revenue.units

    def of(self, name: str) -> int | None:
        """Of a plan it is the sum of its customers'; unknown as soon as one of them is."""
        if self._kind.name != "plan" or name in self._revenue.units:
            return self._one(name, self._plans.get(name) if self._kind.has_plans else None)
        each = [self._one(customer, plan) for customer, plan in self._plans.items() if plan == name]
        known = [one for one in each if one is not None]
        return sum(known) if len(known) == len(each) and (each or name in self._revenue.plans) else self._else

    def _one(self, name: str, plan: str | None) -> int | None:
        found = self._revenue.of_unit(name, plan, *self._period)
        return self._else if found is None else found


def _free_tier(units: Sequence[Unit]) -> FreeTier:
    free = [unit for unit in units if unit.revenue_nanousd == 0]
    paying = [unit for unit in units if unit.revenue_nanousd]
    cost = sum([unit.cost_nanousd or 0 for unit in free])
    whole = sum([unit.cost_nanousd or 0 for unit in units])
    income = sum([unit.revenue_nanousd or 0 for unit in paying])
    return FreeTier(
        units=len(free),
        cost_nanousd=cost,
        cost_share=Fraction(cost, whole) if whole else None,
        per_unit_nanousd=_each(cost, len(free)),
        paying_units=len(paying),
        per_paying_unit_nanousd=_each(cost, len(paying)),
        share_of_revenue=Fraction(cost, income) if income else None,
    )


def _cell(name: str | None, sums: Sums, cost_nanousd: int | None) -> Cell:
    return Cell(values=(name, None), sums=replace(sums, cost_nanousd=cost_nanousd), users=0, sessions=0)


def _order(unit: Unit) -> tuple[int, int, str]:
    if unit.margin_nanousd is not None and unit.is_below_zero:
        return (0 if unit.revenue_nanousd else 1, unit.margin_nanousd, unit.name)
    return (2, -(unit.cost_nanousd or 0), unit.name)


def _each(amount: int | None, count: int) -> int | None:
    return None if amount is None or not count else round(Fraction(amount, count))
