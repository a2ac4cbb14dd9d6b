from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.model.errors import ConfigError
from bascule.offline.tco import Choice, Item, Tco, choice_tornado, decisive, head_usd, item_usd, token_share, total_usd
from bascule.offline.tco_file import read_tco
from bascule.offline.tco_payload import certain, tco_payload
from bascule.offline.tornado import Assumption

F = Fraction


@pytest.mark.parametrize(
    ("item", "years"),
    [
        ({"usd": F(10)}, [120, 120, 120]),
        ({"usd": F(10), "per": "year", "times": (F(3), F(1, 2))}, [15, 15, 15]),
        ({"usd": F(10), "per": "once"}, [10, 0, 0]),
        ({"usd": F(10), "per": "once", "from_year": 2, "growth": F(1)}, [0, 10, 0]),
        ({"usd": F(10), "from_year": 3}, [0, 0, 120]),
        ({"usd": F(10), "per": "year", "growth": F(1)}, [10, 20, 40]),
        ({"usd": F(10), "per": "year", "growth": F(1), "price_change": F(-1, 2)}, [10, 10, 10]),
        ({"usd": "price", "per": "year", "times": ("volume",), "growth": F(1, 2)}, [6, 9, F(27, 2)]),
    ],
)
def test_an_item_by_year(item: dict[str, Any], years: list[Fraction]) -> None:
    made = Item(head="tokens", item="i", **item)
    values = {"price": F(2), "volume": F(3)}
    assert [item_usd(made, year, values) for year in (1, 2, 3)] == years


def assumption(name: str, low: int, base: int, high: int) -> Assumption:
    return Assumption(name=name, low=F(low), base=F(base), high=F(high), source="s")


def item(head: str, usd: str | int, **more: Any) -> Item:
    return Item(head=head, item="i", usd=usd if isinstance(usd, str) else F(usd), per="year", **more)


PRICE, VOLUME, STAFF = assumption("price", 1, 2, 4), assumption("volume", 5, 10, 15), assumption("staff", 20, 30, 35)
BUY = Choice(name="buy", title="buy", items=(item("tokens", "price", times=("volume",)), item("people", 5)))
BUILD = Choice(name="build", title="build", items=(item("people", "staff"),))
WORLD = Tco(years=2, assumptions=(PRICE, VOLUME, STAFF), choices=(BUY, BUILD))


def test_totals_shares_and_heads_that_are_unknown() -> None:
    assert [total_usd(BUY, 2, WORLD.values(case)) for case in ("low", "base", "high")] == [20, 50, 130]  # type: ignore[arg-type]
    assert head_usd(BUY, "tokens", [2], WORLD.values("base")) == 20
    assert token_share(WORLD, BUY, "base") == F(4, 5)
    assert token_share(WORLD, BUILD, "base") is None  # nothing is assumed about them
    assert len(BUY.missing_heads) == 7
    payload = tco_payload(WORLD, [BUY, BUILD])
    heads = {head["head"]: head for head in payload["options"][1]["heads"]}
    assert heads["tokens"]["base_usd"] is None
    assert heads["people"]["by_year_usd"] == ["30.000000000", "30.000000000"]


def test_the_tornado_moves_one_at_a_time_and_sorts_by_how_far() -> None:
    bars = choice_tornado(WORLD, BUY)
    assert [bar.assumption.name for bar in bars] == ["price", "volume"]
    assert [[bar.at_low, bar.at_high] for bar in bars] == [[30, 90], [30, 70]]
    assert [bar.assumption.name for bar in choice_tornado(WORLD, BUILD)] == ["staff"]


def test_what_the_choice_hangs_on() -> None:
    """At base buying costs 50 and building 60. A price of 4 (90), a volume of 15 (70), staff of 20 (40) turn it."""
    found = {one.assumption.name: (one.at_low, one.at_high) for one in decisive(WORLD, [BUY, BUILD])}
    assert found == {"price": ("buy", "build"), "volume": ("buy", "build"), "staff": ("build", "buy")}
    assert not certain(WORLD, [BUY, BUILD])
    sure = Tco(years=2, assumptions=(assumption("staff", 70, 80, 90), PRICE, VOLUME), choices=(BUY, BUILD))
    assert certain(sure, [BUY, BUILD])


terms = st.fractions(0, 50, max_denominator=10)


@given(st.lists(st.tuples(terms, terms, terms, st.booleans()), min_size=1, max_size=4), st.integers(1, 4))
def test_no_assumption_leads_outside_the_range_of_the_total(
    rows: list[tuple[Fraction, Fraction, Fraction, bool]], years: int
) -> None:
    assumptions, items = [], []
    for index, (*numbers, once) in enumerate(rows):
        low, base, high = sorted(numbers)
        assumptions.append(Assumption(name=f"a{index}", low=low, base=base, high=high, source="s"))
        items.append(Item(head="people", item="i", usd=f"a{index}", per="once" if once else "year", growth=F(-1, 2)))
    world = Tco(years=years, assumptions=tuple(assumptions), choices=(Choice(name="c", title="c", items=tuple(items)),))
    low, base, high = [total_usd(world.choices[0], years, world.values(case)) for case in ("low", "base", "high")]  # type: ignore[arg-type]
    for bar in choice_tornado(world, world.choices[0]):
        assert low <= bar.at_low <= base <= bar.at_high <= high


GOOD = """
assumptions:
  volume: {low: 5, base: 10, high: 15, source: a log}
options:
  buy:
    tokens: [{item: api, usd: 2, times: [volume, 0.5], growth: 50%, source: a list}]
    people: [{item: care, usd: {low: 1, base: 2, high: 3, source: a guess}}]
"""


def test_assumptions_are_read_exactly() -> None:
    found = read_tco(GOOD, "a.yaml")
    assert found.years == 3
    assert [one.name for one in found.assumptions] == ["volume", "buy, care: usd"]
    api, care = found.choices[0].items
    assert (api.usd, api.times, api.growth) == (F(2), ("volume", F(1, 2)), F(1, 2))
    assert (care.usd, found.assumptions[1].source) == ("buy, care: usd", "a guess")


@pytest.mark.parametrize(
    ("old", "new", "where", "said"),
    [
        (", source: a log", "", "3:", "`volume` has no source"),
        (", source: a list", "", "6:14", "`api` has no source"),
        (", source: a guess", "", "7:", "has no source"),
        ("low: 5", "low: 11", "3:", "is not in order"),
        ("[volume, 0.5]", "[volumes, 0.5]", "6:", "Did you mean `volume`?"),
        ("usd: 2,", "usd: -2,", "6:", "`usd` is below 0"),
        ("growth: 50%", "growth: -150%", "6:", "`growth` is below -1"),
        ("low: 1,", "low: -1,", "7:", "goes below 0"),
        ("tokens:", "token:", "6:", "Did you mean `tokens`?"),
        ("item: care", "itm: care", "7:", "Did you mean `item`?"),
        ("options:", "years: 0\noptions:", "4:", "from 1 to 30"),
        ("usd: 2,", "usd: [1, 2],", "6:", "is a list"),
    ],
)
def test_mistakes_name_their_place_and_their_remedy(old: str, new: str, where: str, said: str) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(ConfigError) as raised:
        read_tco(GOOD.replace(old, new), "a.yaml")
    found = [one for one in raised.value.problems if said in f"{one.what}. {one.remedy}"]
    assert found, raised.value.problems
    assert found[0].where.startswith(f"a.yaml:{where}")


def test_an_empty_file_says_how_to_begin() -> None:
    with pytest.raises(ConfigError) as raised:
        read_tco("", "a.yaml")
    assert "--example" in raised.value.problems[0].remedy
