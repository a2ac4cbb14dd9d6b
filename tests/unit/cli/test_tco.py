from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

D = Decimal
HEADS = [
    "tokens", "redundancy and reliability", "orchestration and platform", "security and compliance",
    "integration and customisation", "people", "oversight and review", "data governance", "switching",
]  # fmt: skip
FILE = """
years: 2
assumptions:
  price: {low: 1, base: 2, high: 4, source: a price list}
options:
  buy:
    tokens: [{item: api, usd: price, times: 1000, source: our ledger}]
    people: [{item: care, usd: 500, source: "assumption, no source"}]
  build:
    people: [{item: care, usd: {low: 1000, base: 3000, high: 4000}, source: "assumption, no source"}]
"""


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text(FILE)


def test_the_shipped_example_is_whole_honest_and_says_what_it_is(run: Any) -> None:
    shown = run("tco", "--json").json
    assert shown["example"] is True
    assert [option["option"] for option in shown["options"]] == ["buy", "route", "build"]
    for option in shown["options"]:
        assert [head["head"] for head in option["heads"]] == HEADS
        assert option["missing_heads"] == []
        assert sum(D(head["base_usd"]) for head in option["heads"]) == D(option["base_usd"])
        assert sum(D(year["base_usd"]) for year in option["by_year"]) == D(option["base_usd"])
        assert D(option["low_usd"]) < D(option["base_usd"]) < D(option["high_usd"])
    assert shown["without_source"] >= 20
    text = run("tco").out
    assert "nobody's figures" in text
    Path("mine.yaml").write_text(run("tco", "--example").out)
    mine = run("tco", "--from", "mine.yaml", "--json").json
    assert (mine["example"], mine["options"]) == (False, shown["options"])


def test_an_option_in_detail(run: Any) -> None:
    shown = run("tco", "--from", "a.yaml", "--option", "buy", "--json").json
    assert shown["compare"] is None
    [buy] = shown["options"]
    assert (buy["low_usd"], buy["base_usd"], buy["high_usd"]) == (
        "36000.000000000",
        "60000.000000000",
        "108000.000000000",
    )
    assert buy["token_share"] == "0.8"
    assert buy["tornado"] == [
        {"assumption": "price", "low": "1", "high": "4", "total_at_low_usd": "36000.000000000",
         "total_at_high_usd": "108000.000000000", "swing_usd": "72000.000000000"},
    ]  # fmt: skip
    text = run("tco", "--from", "a.yaml", "--option", "buy").out
    assert "Tokens are 80 % of the total." in text
    assert "not assumed" in text
    assert "Not in the total, for want of an assumption: redundancy and reliability" in text


def test_an_input_moved_moves_the_total_by_what_follows(run: Any) -> None:
    Path("a.yaml").write_text(FILE.replace("base: 2,", "base: 2.5,"))
    [buy] = run("tco", "--from", "a.yaml", "--option", "buy", "--json").json["options"]
    assert D(buy["base_usd"]) == 60_000 + D("0.5") * 1000 * 24


def test_options_side_by_side(run: Any) -> None:
    shown = run("tco", "--from", "a.yaml", "--compare", "build,buy", "--json").json
    assert [option["option"] for option in shown["options"]] == ["build", "buy"]
    assert shown["compare"] == {
        "cheapest": "buy",
        "certain": False,
        "decisive": [
            {"assumption": "price", "cheapest_at_low": "buy", "cheapest_at_high": "build"},
            {"assumption": "build, care: usd", "cheapest_at_low": "build", "cheapest_at_high": "buy"},
        ],
    }
    text = run("tco", "--from", "a.yaml").out
    assert "Cheapest at base: buy, but the ranges overlap." in text
    assert "It hangs on price: at 1 buy is cheapest, at 4 build." in text
    assert "1 of 2 assumptions have no source." in text


def test_wrong_use(run: Any) -> None:
    assert run("tco", "--from", "a.yaml", "--compare", "buy,bild").code == 2
    assert "Did you mean `build`?" in run("tco", "--from", "a.yaml", "--compare", "buy,bild").err
    assert run("tco", "--from", "a.yaml", "--compare", "buy", "--option", "buy").code == 2
    assert run("tco", "--from", "a.yaml", "--example").code == 2
    missing = run("tco", "--from", "nowhere.yaml")
    assert (missing.code, "nowhere.yaml" in missing.err) == (2, True)
    Path("a.yaml").write_text(FILE.replace(", source: a price list", ""))
    unsourced = run("tco", "--from", "a.yaml")
    assert unsourced.code == 2
    assert "a.yaml:4:" in unsourced.err
    assert "source:" in unsourced.err
