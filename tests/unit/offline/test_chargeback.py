import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.model.report import Cell
from bascule.model.sums import Sums
from bascule.offline.chargeback import RULES, Rule, charge_back, chargeback_payload

cells = st.lists(
    st.builds(
        lambda team, shared, cost, requests, tokens: Cell(
            values=(team, shared),
            sums=Sums(requests=requests, attempts=requests, cost_nanousd=cost, tokens_in=tokens),
            users=0,
            sessions=0,
        ),
        st.sampled_from([None, "a", "b", "c"]),
        st.sampled_from([None, "true", "false"]),
        st.none() | st.integers(-(10**6), 10**12),
        st.integers(0, 1000),
        st.none() | st.integers(0, 10**9),
    ),
    max_size=8,
)


@given(cells, st.sampled_from(RULES))
def test_the_parts_are_the_bill(found: list[Cell], rule: Rule) -> None:
    made = charge_back("team", found, rule)
    bill = sum(cell.sums.cost_nanousd or 0 for cell in found)
    assert sum(owner.total_nanousd for owner in made.owners) + made.unsplit_nanousd == bill
    shared = [cell for cell in found if cell.values[0] is None or cell.values[1] == "true"]
    assert made.shared_nanousd == sum(cell.sums.cost_nanousd or 0 for cell in shared)


def cell(team: str | None, cost: int, requests: int = 1, tokens: int = 1, shared: str | None = None) -> Cell:
    sums = Sums(requests=requests, cost_nanousd=cost, tokens_in=tokens)
    return Cell(values=(team, shared), sums=sums, users=0, sessions=0)


@pytest.mark.parametrize(
    ("rule", "parts"),
    [
        ("equal", {"a": 50, "b": 50}),
        ("spend", {"a": 75, "b": 25}),
        ("requests", {"a": 20, "b": 80}),
        ("tokens", {"a": 10, "b": 90}),
        ("none", {"a": 0, "b": 0}),
    ],
)
def test_rules(rule: Rule, parts: dict[str, int]) -> None:
    found = [cell("a", 30, 1, 1), cell("b", 10, 4, 9), cell(None, 60), cell("b", 40, shared="true")]
    made = charge_back("team", found, rule)
    assert {owner.name: owner.part_nanousd for owner in made.owners} == parts
    assert made.unsplit_nanousd == (100 if rule == "none" else 0)
    assert (made.unowned.cost_nanousd, made.tagged.cost_nanousd) == (60, 40)


def test_a_unit_that_is_left_goes_to_one() -> None:
    made = charge_back("team", [cell("a", 1), cell("b", 1), cell("c", 1), cell(None, 100)], "equal")
    assert sorted(owner.part_nanousd for owner in made.owners) == [33, 33, 34]


def test_without_owners_nothing_is_split() -> None:
    made = charge_back("team", [cell(None, 7)], "spend")
    assert (made.owners, made.unsplit_nanousd) == ((), 7)
    document = chargeback_payload(made)
    assert (document["unsplit_usd"], document["total_usd"]) == ("0.000000007", "0.000000007")
