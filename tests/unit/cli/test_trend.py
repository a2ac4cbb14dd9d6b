"""`bascule trend`: every figure follows from its own inputs, and moves with them."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.published import write_table

ARTICLES = Path(__file__).parents[4] / "shared" / "data" / "articles.yaml"

pytestmark = pytest.mark.usefixtures("bare")


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def trend(run: Any, path: Path, *more: str) -> Any:
    found = run("trend", "--from", str(path), "--json", *more)
    assert found.code == 0, found.err
    return found.json


def claim(shown: Any, what: str) -> Any:
    return next(one for one in shown["claims"] if one["what"] == what)


CLAIMS = [
    # claim, key of the answer, the answer, an input, what it is changed to, the answer then
    ("GPT-3 class", "fold", 1000, "price: 60.00}, to: {date: 2024-11", "price: 30.00}, to: {date: 2024-11", 500),
    ("GPT-3 class", "months", 36, "2021-11", "2021-05", 42),
    ("GPT-3 class", "per_year", 10.0, "2021-11, price: 60.00", "2022-11, price: 60.00", 1000**0.5),
    ("GPT-3.5 class", "fold", 285.714, "price: 0.07", "price: 0.14", 142.857),
    ("GPT-3.5 class", "months", 23, "2022-11", "2023-04", 18),
    ("GPT-3.5 class", "per_year", 19.1142, "2022-11", "2023-04", 43.3795),
    ("cheapest model", "fold", 40, "price: 2.00", "price: 4.00", 80),
    ("cheapest model", "per_year", 40 ** (1 / 3), "{date: 2026, price: 0.05}", "{date: 2025, price: 0.05}", 40**0.5),
    ("dearest model", "fold", 4, "{date: 2026, price: 15.00}", "{date: 2026, price: 30.00}", 2),
    ("spread over the whole market", "fold", 300, "dearest: 15.00", "dearest: 30.00", 600),
    ("deepseek-v4-flash against claude-opus-4.7", "input_fold", 107.143, "input: 0.14", "input: 0.15", 100),
    ("deepseek-v4-flash against claude-opus-4.7", "output_fold", 267.857, "output: 0.28", "output: 0.30", 250),
]


@pytest.mark.parametrize(("what", "key", "value", "old", "new", "then"), CLAIMS)
def test_each_claim_follows_from_its_inputs(
    run: Any, tmp_path: Path, what: str, key: str, value: float, old: str, new: str, then: float
) -> None:
    as_given = claim(trend(run, write_table(tmp_path)), what)
    assert as_given["computed"][key] == pytest.approx(value, rel=1e-5)
    moved = claim(trend(run, write_table(tmp_path, (old, new))), what)
    assert moved["computed"][key] == pytest.approx(then, rel=1e-5)


def test_what_does_not_follow_is_named_and_what_does_is_not(run: Any, tmp_path: Path) -> None:
    shown = trend(run, write_table(tmp_path))
    assert claim(shown, "GPT-3 class")["differences"] == []
    assert claim(shown, "cheapest model")["differences"] == []
    (months,) = claim(shown, "GPT-3.5 class")["differences"]
    assert "23 months" in months
    assert "18" in months
    assert "19.1x a year" in months
    (pair,) = claim(shown, "deepseek-v4-flash against claude-opus-4.7")["differences"]
    assert "36 to 89" in pair
    assert "107.1x" in pair
    (wider,) = claim(shown, "spread over the whole market")["differences"]
    assert "600x" in wider
    none = claim(shown, "spread for the same job")
    assert none["not_computed"] == "the file gives no inputs for it"
    assert none["computed"]["per_year"] is None


def test_an_output_price_is_not_compared_with_an_input_price_unseen(run: Any, tmp_path: Path) -> None:
    dearest = claim(trend(run, write_table(tmp_path)), "dearest model")
    assert dearest["like_for_like"] == {"input_fold": 2.0, "output_fold": 0.8}
    (unlike,) = dearest["differences"]
    assert "output price of gpt-4 with the input price of claude-opus-4.7" in unlike
    alike = claim(trend(run, write_table(tmp_path, ("2023, price: 60.00", "2023, price: 30.00"))), "dearest model")
    assert alike["like_for_like"] is None
    assert [one for one in alike["differences"] if "compares" in one] == []


def test_each_claim_is_told_with_what_is_published_computed_and_different(run: Any, tmp_path: Path) -> None:
    text = run("trend", "--from", str(write_table(tmp_path))).out
    assert "  computed   285.7x over 23 months, 19.1x a year\n  differs    its own dates are 23 months apart" in text
    assert "  published  40x\n  computed   40x over 36 months (between 24 and 48: it names years alone), 3.42x" in text
    assert "  computed   input 107.1x, output 267.9x\n" in text
    assert "  computed   nothing: the file gives no inputs for it" in text
    assert "a16z: 10x, within it" in text


def test_a_year_without_a_month_leaves_bounds(run: Any, tmp_path: Path) -> None:
    found = claim(trend(run, write_table(tmp_path)), "cheapest model")["computed"]
    assert (found["months"], found["months_low"], found["months_high"]) == (36, 24, 48)
    assert found["per_year_low"] == pytest.approx(40**0.25, rel=1e-5)
    assert found["per_year_high"] == pytest.approx(40**0.5, rel=1e-5)
    exact = claim(trend(run, write_table(tmp_path)), "GPT-3 class")["computed"]
    assert (exact["months_low"], exact["per_year_low"]) == (None, None)


def test_wrong_words_in_the_file_itself_are_named(run: Any, tmp_path: Path) -> None:
    found = claim(trend(run, write_table(tmp_path, ("fold: 285.7,", "fold: 280,"))), "GPT-3.5 class")
    assert any("file says fold 280" in one for one in found["differences"])
    found = claim(trend(run, write_table(tmp_path, ("published: 40x", "published: 50x"))), "cheapest model")
    assert found["differences"] == ["published '50x', its inputs give 40x"]


FRONTIER = [37.5, 15, 15, 15, 0.175, 0.14, 0.0875, 0.0875]
"""By hand: haiku (0.90) and 4o-mini (0.95) cannot do what gpt-4 (1.00) could; the last model is dearer."""
LISTED = [37.5, 15, 0.5, 0.2625, 0.175, 0.14, 0.0875, 0.175]
YEARS = [2023 + 2 / 12, 2023 + 10 / 12, 2024 + 3 / 12, 2024.5, 2024 + 11 / 12, 2025 + 5 / 12, 2026, 2026.25]
T_6 = 2.4469


def by_hand(xs: list[float], prices: list[float]) -> tuple[float, float, float, float]:
    """Fold a year with its interval, and R2, straight from the textbook."""
    ys = [math.log10(price) for price in prices]
    n, mx, my = len(xs), sum(xs) / len(xs), sum(ys) / len(ys)
    sxx = sum((x - mx) ** 2 for x in xs)
    slope = sum((x - mx) * (y - my) for x, y in zip(xs, ys, strict=True)) / sxx
    rest = sum((y - my - slope * (x - mx)) ** 2 for x, y in zip(xs, ys, strict=True))
    reach = T_6 * math.sqrt(rest / (n - 2) / sxx)
    total = sum((y - my) ** 2 for y in ys)
    return 10**-slope, 10 ** -(slope + reach), 10 ** -(slope - reach), 1 - rest / total


def test_the_decline_at_constant_capability_and_as_listed(run: Any, tmp_path: Path) -> None:
    shown = trend(run, write_table(tmp_path))["history"]
    assert (shown["capability"], shown["capability_is"]) == (1.0, "that of the best model of the first date")
    steps = shown["frontier"]["steps"]
    assert [float(step["usd_per_mtok"]) for step in steps] == FRONTIER
    assert [step["model"] for step in steps[2:4]] == ["gpt-4-turbo", "gpt-4-turbo"]
    for fit, prices in ((shown["frontier"]["fit"], FRONTIER), (shown["listed"]["fit"], LISTED)):
        fold, low, high, r2 = by_hand(YEARS, prices)
        assert fit["points"] == 8
        assert fit["span_months"] == 37
        assert fit["fold_per_year"] == pytest.approx(fold, rel=1e-4)
        assert fit["fold_per_year_low"] == pytest.approx(low, rel=1e-4)
        assert fit["fold_per_year_high"] == pytest.approx(high, rel=1e-4)
        assert fit["r2"] == pytest.approx(r2, rel=1e-4)
        assert fit["halving_months"] == pytest.approx(12 * math.log(2) / math.log(fold), rel=1e-4)
        assert fit["halving_months_low"] == pytest.approx(12 * math.log(2) / math.log(high), rel=1e-4)
        assert fit["declines"] is True
    assert "at least 1" in shown["frontier"]["fit"]["held_constant"]
    assert shown["listed"]["fit"]["held_constant"].startswith("nothing")


def test_capability_blend_and_prices_move_the_answer(run: Any, tmp_path: Path) -> None:
    path = write_table(tmp_path)
    usual = trend(run, path)["history"]["frontier"]
    lower = trend(run, path, "--capability", "0.9")["history"]["frontier"]
    assert [step["model"] for step in lower["steps"][2:4]] == ["claude-3-haiku", "gpt-4o-mini"]
    assert lower["fit"]["fold_per_year"] < usual["fit"]["fold_per_year"]
    output = trend(run, path, "--input-share", "0")["history"]["frontier"]["steps"][0]
    assert output["usd_per_mtok"] == "60"
    dearer = write_table(tmp_path, ("input: 0.05,  output: 0.20", "input: 0.50,  output: 2.00"))
    assert trend(run, dearer)["history"]["frontier"]["fit"]["fold_per_year"] < usual["fit"]["fold_per_year"]


def test_too_few_points_is_an_answer(run: Any, tmp_path: Path) -> None:
    path = write_table(tmp_path)
    fit = trend(run, path, "--capability", "1.3")["history"]["frontier"]["fit"]
    assert (fit["points"], fit["fold_per_year"], fit["declines"], fit["r2"]) == (2, None, None, None)
    assert "too few points: 2" in fit["why_not"]
    assert "too few points: 2" in run("trend", "--from", str(path), "--capability", "1.3").out
    assert trend(run, path, "--capability", "9")["history"]["frontier"]["steps"] == []


def test_the_rates_of_others_stand_beside_the_interval(run: Any, tmp_path: Path) -> None:
    rates = {one["by"]: one for one in trend(run, write_table(tmp_path))["published_rates"]}
    assert rates["a16z"] == {"by": "a16z", "fold_per_year": [10.0], "within_interval": True}
    assert rates["epoch_median"]["within_interval"] is False
    assert rates["epoch_range"]["fold_per_year"] == [9.0, 900.0]


def test_mistakes_of_the_file_are_all_named_with_their_lines(run: Any, tmp_path: Path) -> None:
    path = write_table(tmp_path, ("date: 2023-03,", "date: soon,"), ("{date: 2021-11, price: 60.00}", "{price: 60.00}"),
                       ("input: 0.15, ", "input: -1,"))  # fmt: skip
    found = run("trend", "--from", str(path))
    assert found.code == 2
    for line in (2, 5, 11):
        assert f"{path}:{line}:" in found.err
    assert run("trend", "--from", str(tmp_path / "none.yaml")).code == 2
    (tmp_path / "other.yaml").write_text("tasks: []\n")
    assert run("trend", "--from", str(tmp_path / "other.yaml")).code == 1
    assert run("trend", "--input-share", "2").code == 2


def test_the_chart_is_a_specification_with_its_data(run: Any, tmp_path: Path) -> None:
    path = write_table(tmp_path)
    printed = json.loads(run("trend", "--from", str(path), "--chart", "-").out)
    assert printed["$schema"].startswith("https://vega.github.io/schema/vega-lite/")
    points, _, steps, fitted = [layer["data"]["values"] for layer in printed["layer"]]
    assert [one["usd"] for one in points] == LISTED
    assert [one["usd"] for one in steps] == FRONTIER
    assert [one["date"] for one in fitted] == ["2023-03", "2026-04"]
    assert run("trend", "--from", str(path), "--chart", str(tmp_path / "c.json")).code == 0
    assert json.loads((tmp_path / "c.json").read_text()) == printed


def test_the_book_s_own_history_says_what_it_lacks(run: Any) -> None:
    shown = run("trend", "--json").json
    assert shown["source"].startswith("genai-prices")
    assert shown["history"]["name"] == "Aider polyglot"
    assert shown["history"]["capability"] == 61.7
    assert [step["model"] for step in shown["history"]["frontier"]["steps"]][-1] == "o4-mini"
    assert any("8.1 months" in warning for warning in shown["history"]["frontier"]["warnings"])
    assert len(shown["families"]) == 6
    assert all(family["source"] for family in shown["families"])
    assert shown["families_together"]["declines"] is None
    assert shown["changes"]["falls"] + shown["changes"]["rises"] == len(shown["changes"]["lines"])
    assert any("no first date" in lack for lack in shown["lacks"])
    assert not any("no price in the book" in lack for lack in shown["lacks"])
    text = run("trend").out
    assert "What this book lacks" in text
    assert "2026-11-21" in text


def test_what_a_file_says_that_its_inputs_give_they_give(run: Any, tmp_path: Path) -> None:
    """Of the copy above, and of the articles' own file where it lies beside the checkout."""
    files = [write_table(tmp_path), *([ARTICLES] if ARTICLES.exists() else [])]
    if len(files) == 1:
        print(f"{ARTICLES} is not on this machine: the copy of its figures alone was checked")
    for path in files:
        shown = trend(run, path)
        given = {one["what"]: one for one in shown["claims"]}
        assert not any("file says" in difference for one in given.values() for difference in one["differences"])
        assert given["cheapest model"]["computed"]["fold"] == 40
        assert shown["history"]["frontier"]["fit"]["fold_per_year"] == pytest.approx(10.55, abs=0.01)
