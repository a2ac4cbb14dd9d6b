"""`bascule viable`: the price needed, who meets it, and when the trend does."""

import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.published import write_table

CASE = ("--value-usd", "0.01", "--volume", "1000000", "--input-tokens", "3000", "--output-tokens", "500")
FLOOR = ("--quality", "62", "--benchmark", "swe_bench")


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    """2026-11-21T12:00:00Z: what is on sale depends on the day."""
    monkeypatch.setattr("bascule.cli.viable.now_ms", lambda: 1_795_262_400_000)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def viable(run: Any, *arguments: str) -> Any:
    found = run("viable", *arguments, "--json")
    assert found.code == 0, found.err
    return found.json


NEEDED = [
    # options beside the case, per task, per month, per million tokens: break-even, then at the margin
    ((), ("0.010000000", "10000.000000000", "2.857142857"), ("0.007000000", "7000.000000000", "2")),
    (("--margin", "0.5"), ("0.010000000", "10000.000000000", "2.857142857"),
     ("0.005000000", "5000.000000000", "1.428571428")),
    (("--fixed-usd", "4000"), ("0.006000000", "6000.000000000", "1.714285714"),
     ("0.003000000", "3000.000000000", "0.857142857")),
    (("--volume", "500000", "--fixed-usd", "4000"), ("0.002000000", "1000.000000000", "0.571428571"),
     ("-0.001000000", "-500.000000000", "-0.285714286")),
]  # fmt: skip


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(("options", "even", "kept"), NEEDED)
def test_the_price_it_needs(run: Any, options: tuple[str, ...], even: tuple[str, ...], kept: tuple[str, ...]) -> None:
    for found, wanted in zip(viable(run, *CASE, *options)["needed"], (even, kept), strict=True):
        assert (found["usd_per_task"], found["usd_per_month"], found["usd_per_mtok"]) == wanted
        assert found["possible"] is (not wanted[0].startswith("-"))


@pytest.mark.usefixtures("bare")
def test_the_models_that_meet_it_and_those_of_unknown_quality(run: Any, tmp_path: Path) -> None:
    path = write_table(tmp_path)
    models = viable(run, *CASE, "--from", str(path), *FLOOR)["models"]
    assert [one["model"] for one in models["meet"]] == ["gpt-5.4-mini", "grok-4-mini"]
    mini, grok = models["meet"]
    assert (mini["usd_per_task"], mini["margin"], mini["meets"]) == ("0.007500000", 0.25, ["0"])
    assert (grok["usd_per_task"], grok["margin"]) == ("0.010000000", 0)
    assert [one["model"] for one in models["meet_with_quality_unknown"]] == ["gemini-3.1-flash", "deepseek-v4-flash"]
    assert models["quality_unknown"] == 7, "qwen has no output price, so no price of this task"
    cheaper = write_table(tmp_path, ("input: 1.50,  output: 6.00", "input: 1.00,  output: 4.00"))
    assert viable(run, *CASE, "--from", str(cheaper), *FLOOR)["models"]["meet_at_margin_count"] == 1
    dear = write_table(tmp_path, ("input: 1.50,  output: 6.00", "input: 3.00,  output: 12.00"),
                       ("input: 2.00,  output: 8.00", "input: 3.00,  output: 9.00"))  # fmt: skip
    none = viable(run, *CASE, "--from", str(dear), *FLOOR)["models"]
    assert (none["meet"], none["nearest"][0]["model"]) == ([], "gemini-3.1-pro")
    assert "the nearest" in run("viable", *CASE, "--from", str(dear), *FLOOR).out


@pytest.mark.usefixtures("bare")
def test_the_date_follows_from_price_need_and_slope(run: Any, tmp_path: Path) -> None:
    path = write_table(tmp_path)
    shown = viable(run, "--value-usd", "0.01", "--volume", "10", "--usd-per-task", "0.45", "--from", str(path))
    fit = shown["trends"][0]["fit"]
    even, kept = shown["reached"]
    for found, need in ((even, 0.01), (kept, 0.007)):
        months = 12 * math.log(0.45 / need) / math.log(fit["fold_per_year"])
        assert found["verdict"] == "by trend"
        assert found["months"] == pytest.approx(months, abs=0.06)
        assert found["earliest"] < found["date"] < found["latest"]
    slower = write_table(
        tmp_path,
        ("input: 0.10,  output: 0.40,  capability: 1.05", "input: 5, output: 20, capability: 1.05"),
        ("input: 0.08,  output: 0.32", "input: 5, output: 20"),
        ("input: 0.05,  output: 0.20", "input: 5, output: 20"),
        ("input: 0.10,  output: 0.40,  capability: 1.50", "input: 5, output: 20, capability: 1.50"),
    )
    later = viable(run, "--value-usd", "0.01", "--volume", "10", "--usd-per-task", "0.45", "--from", str(slower))
    assert later["reached"][0]["months"] > even["months"]


@pytest.mark.usefixtures("bare")
def test_a_stated_decline_has_a_date_and_no_interval(run: Any) -> None:
    case = ("--value-usd", "0.01", "--volume", "10", "--usd-per-task", "0.1", "--margin", "0")
    (found,) = viable(run, *case, "--per-year", "10")["reached"]
    assert (found["verdict"], found["months"], found["earliest"], found["latest"]) == ("by trend", 12.0, None, None)
    (found,) = viable(run, *case, "--per-year", "100")["reached"]
    assert found["months"] == 6.0
    (found,) = viable(run, *case, "--per-year", "1")["reached"]
    assert (found["verdict"], found["date"]) == ("never", None)
    (found,) = viable(run, "--value-usd", "0.2", *case[2:], "--per-year", "10")["reached"]
    assert found["verdict"] == "today"


@pytest.mark.usefixtures("bare")
def test_never_where_the_interval_holds_no_decline(run: Any, tmp_path: Path) -> None:
    case = ("--value-usd", "0.01", "--volume", "10", "--usd-per-task", "0.1")
    by_trend = {one["trend"]: one for one in viable(run, *case)["reached"]}
    flat = by_trend["constant place in the line-up"]
    assert (flat["verdict"], flat["date"], flat["latest"]) == ("never", None, None)
    assert flat["earliest"] is not None
    assert flat["why"] == "its interval includes no decline"
    assert "never: its interval includes no decline" in run("viable", *case).out
    short = by_trend["constant capability"]
    assert (short["verdict"], short["why"]) == ("unknown", "8 months of points are too few to carry on")
    few = viable(run, *case, "--from", str(write_table(tmp_path)), "--capability", "1.3")["reached"][0]
    assert (few["verdict"], few["date"]) == ("unknown", None)
    assert "too few points" in few["why"]


def test_models_of_the_configuration_and_the_book(run: Any, place: Path) -> None:
    shown = viable(run, *CASE, "--quality", "0.7")
    assert [one["model"] for one in shown["models"]["meet"]] == ["small"]
    assert shown["models"]["meet"][0]["usd_per_task"] == "0.000500000"
    assert shown["models"]["quality_unknown"] > 1000
    assert shown["price_today_from"] == "local/small"
    strict = viable(run, *CASE, "--quality", "0.95")
    assert strict["price_today_usd_per_task"] is None
    assert {one["verdict"] for one in strict["reached"]} == {"unknown"}
    assert "no adequate model" in run("viable", *CASE, "--quality", "0.95").out
    named = viable(run, *CASE, "--only", "gpt-4o-mini")
    assert named["price_today_from"] == "openai/gpt-4o-mini"
    assert Decimal(named["price_today_usd_per_task"]) == Decimal("0.00075")


@pytest.mark.usefixtures("bare")
def test_long_inputs_are_priced_at_their_tier(run: Any) -> None:
    """gemini-2.5-pro costs 1.25 up to 200,000 tokens of input and 2.50 beyond, for all of them."""
    long = ("--value-usd", "1", "--volume", "1", "--only", "google/gemini-2.5-pro", "--output-tokens", "0")
    short = viable(run, *long, "--input-tokens", "200000")["price_today_usd_per_task"]
    beyond = viable(run, *long, "--input-tokens", "200001")["price_today_usd_per_task"]
    assert (short, beyond) == ("0.250000000", "0.500002500")


@pytest.mark.usefixtures("bare")
def test_wrong_use(run: Any) -> None:
    assert run("viable", "--value-usd", "1", "--volume", "1").code == 2
    assert run("viable", *CASE, "--usd-per-task", "1").code == 2
    assert run("viable", *CASE[:2], "--volume", "0", *CASE[4:]).code == 2
    assert run("viable", *CASE, "--margin", "100%").code == 2
    assert run("viable", *CASE, "--value-usd", "lots").code == 2
    assert run("viable", *CASE, "--benchmark", "swe_bench").code == 2
    assert run("viable", *CASE, "--only", "gpt-99").code == 1
