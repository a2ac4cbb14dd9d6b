"""Cost and margin per customer, feature and plan; what has no unit stands apart."""

from collections.abc import Sequence
from fractions import Fraction

import pytest
from tests.unit.offline.spending import USD, Ledger, Spent, at, spent

from bascule.config.shape import Contract
from bascule.model.report import Cell
from bascule.model.row import RowFilter
from bascule.model.sums import Sums
from bascule.offline.paid import paid_report
from bascule.offline.revenue import Revenue, read_revenue
from bascule.offline.unit import CUSTOMERS_PLANS, Unit, Units, kind_of, plans_of, unit_cells, units_of

PERIOD = {"since_ms": at("2026-10-01"), "until_ms": at("2026-11-01"), "now_ms": at("2026-11-21")}

USE = [
    spent("2026-10-02", 8, tag_customer="acme", user="u1", session="s1", tag_plan="pro"),
    spent("2026-10-02", 2, tag_customer="acme", user="u2", session="s1", tag_plan="pro"),
    spent("2026-10-03", 30, tag_customer="globex", session="s2", tag_plan="pro"),
    spent("2026-10-03", 1, user="loner", session="s3", tag_plan="free"),
    spent("2026-10-04", 5, session="s4"),
]


def cells(attempts: Sequence[Spent], by: Sequence[str]) -> list[Cell]:
    """As `Analytics.cells`: one request an attempt."""
    groups: dict[tuple[str | None, ...], list[Spent]] = {}
    for one in attempts:
        groups.setdefault(tuple([one.seen.get(name) for name in by]), []).append(one)
    return [
        Cell(
            values=values,
            sums=Sums(requests=len(found), attempts=len(found), tokens_in=100 * len(found)),
            users=0,
            sessions=len({one.seen["session"] for one in found if "session" in one.seen}),
        )
        for values, found in groups.items()
    ]


def units(
    name: str = "customer",
    revenue: str | None = None,
    attempts: Sequence[Spent] = USE,
    contracts: Sequence[Contract] = (),
    **options: object,
) -> Units:
    kind = kind_of(name)
    report = paid_report(Ledger(attempts).costs, contracts, kind.dimensions, **PERIOD)
    told: Revenue | None = None if revenue is None else read_revenue(revenue, "r.csv")
    found = unit_cells(lambda by: cells(attempts, by), kind)
    return units_of(kind, found, report, told, **options)  # type: ignore[arg-type]


def by_name(found: Units) -> dict[str, Unit]:
    return {unit.name: unit for unit in found.units}


def test_a_customer_is_the_tag_or_else_the_user_and_shared_sessions_count_once() -> None:
    found = units()
    assert [unit.name for unit in found.units] == ["globex", "acme", "loner"]
    acme = by_name(found)["acme"]
    assert (acme.cost_nanousd, acme.requests, acme.sessions) == (10 * USD, 2, 1)
    assert (acme.cost_per_request, acme.cost_per_session) == (5 * USD, 10 * USD)
    assert (found.cost_p50_nanousd, found.cost_p90_nanousd) == (10 * USD, 30 * USD)
    assert found.apart.list_nanousd == 5 * USD
    assert found.apart_requests == 1
    assert found.unsplit_nanousd == 5 * USD
    assert found.free is None


def test_margin_is_unknown_where_revenue_is_and_losses_come_first() -> None:
    found = units(revenue="unit,usd\nglobex,29\nidle,10\n")
    assert [unit.name for unit in found.units] == ["globex", "acme", "loner", "idle"]
    named = by_name(found)
    assert named["globex"].margin_nanousd == -1 * USD
    assert named["globex"].is_below_zero
    assert named["acme"].margin_nanousd is None
    assert named["idle"].margin_nanousd == 10 * USD  # it pays and used nothing
    assert found.margin_nanousd == 9 * USD
    assert found.cost_p50_nanousd == 10 * USD  # of those that used anything


def test_the_free_tier_is_what_is_told_to_pay_nothing() -> None:
    found = units(revenue="unit,plan,usd_per_month\nacme,,50\n,pro,20\n,free,0\n", plans=plans_of(_plan_cells()))
    named = by_name(found)
    assert named["acme"].revenue_nanousd == 50 * USD
    assert named["globex"].revenue_nanousd == 20 * USD
    assert named["loner"].revenue_nanousd == 0
    assert found.free is not None
    assert (found.free.units, found.free.paying_units) == (1, 2)
    assert found.free.cost_nanousd == 1 * USD
    assert found.free.cost_share == Fraction(1, 41)
    assert found.free.per_paying_unit_nanousd == USD // 2
    assert found.free.share_of_revenue == Fraction(1, 70)


def _plan_cells() -> list[Cell]:
    return cells(USE, CUSTOMERS_PLANS)


def test_those_who_are_not_in_the_file_are_free_only_where_that_is_said() -> None:
    revenue = "unit,usd\nacme,50\nglobex,50\n"
    unknown, said = units(revenue=revenue).free, units(revenue=revenue, unlisted_free=True).free
    assert unknown is not None
    assert said is not None
    assert (unknown.units, said.units) == (0, 1)


def test_a_plan_brings_in_what_its_customers_do() -> None:
    revenue = "unit,plan,usd_per_month\nacme,,50\n,pro,12\n,team,99\n"
    named = by_name(units("plan", revenue, plans=plans_of(_plan_cells())))
    assert (named["pro"].revenue_nanousd, named["pro"].cost_nanousd) == (62 * USD, 40 * USD)
    assert named["free"].revenue_nanousd is None
    assert (named["team"].revenue_nanousd, named["team"].cost_nanousd) == (0, 0)  # nobody is on it
    assert "acme" not in named
    without = by_name(units("plan", "unit,usd\nacme,50\n", plans=plans_of(_plan_cells())))
    assert without["pro"].revenue_nanousd is None  # what the other one of its two customers pays is not known


def test_own_developers_are_no_customers_but_users() -> None:
    attempts = [
        spent("2026-10-02", 7, origin="claude-code", user="ann"),
        spent("2026-10-02", 3, origin="claude-code", user="ann", tag_customer="acme"),
    ]
    found = units(attempts=attempts)
    assert [(unit.name, unit.cost_nanousd) for unit in found.units] == [("acme", 3 * USD)]
    assert found.apart.list_nanousd == 7 * USD
    assert by_name(units("user", attempts=attempts))["ann"].cost_nanousd == 10 * USD


def test_paying_units_below_zero_come_before_free_ones() -> None:
    found = units(revenue="unit,usd\nacme,9\nglobex,0\n")
    assert [unit.name for unit in found.units] == ["acme", "globex", "loner"]


def test_the_plan_that_a_coding_agent_ran_on_is_no_plan_of_the_business() -> None:
    attempts = [spent("2026-10-02", 7, origin="codex", tag_plan="plus", user="ann")]
    found = units("plan", attempts=attempts)
    assert found.units == ()
    assert found.apart.on_plan_nanousd == 7 * USD


@pytest.mark.parametrize(
    ("rule", "parts"),
    [
        ("none", {}),
        ("equal", {"acme": 1_666_666_667, "globex": 1_666_666_667, "loner": 1_666_666_666}),
        ("requests", {"acme": 2_500_000_000, "globex": 1_250_000_000, "loner": 1_250_000_000}),
    ],
)
def test_what_has_no_unit_is_shared_only_by_a_rule(rule: str, parts: dict[str, int]) -> None:
    found = units(rule=rule)
    assert {unit.name: unit.shared_nanousd for unit in found.units if unit.shared_nanousd} == parts
    assert found.cost_nanousd + found.unsplit_nanousd == 46 * USD
    assert found.unsplit_nanousd == (5 * USD if rule == "none" else 0)


def test_cost_is_effective_and_fixed_lines_are_no_units() -> None:
    contracts = [
        Contract(provider="openai", discount=0.5),
        Contract(provider="anthropic", seats=1, seat_month_nanousd=100 * USD),
    ]
    found = units(contracts=contracts)
    assert by_name(found)["globex"].cost_nanousd == 15 * USD
    assert found.fixed_nanousd == 100 * USD
    assert found.cost_nanousd + found.unsplit_nanousd == 23 * USD + 100 * USD


def test_a_unit_of_which_nothing_has_a_price_has_an_unknown_cost() -> None:
    found = units(revenue="unit,usd\nacme,5\n", attempts=[spent("2026-10-02", None, tag_customer="acme")])
    (acme,) = found.units
    assert (acme.cost_nanousd, acme.margin_nanousd, acme.unknown_attempts) == (None, None, 1)


def test_any_tag_may_be_a_unit_and_other_words_may_not() -> None:
    assert kind_of("tag:shop").dimensions == ("tag:shop",)
    with pytest.raises(ValueError, match="tag:K"):
        kind_of("shop")


def test_the_fake_asks_as_the_port_does() -> None:
    assert sum(cell.cost_nanousd or 0 for cell in Ledger(USE).costs((), RowFilter())) == 46 * USD
