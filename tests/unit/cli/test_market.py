"""`bascule market`: spreads of everything and of what is adequate, from a table and from the book."""

from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.published import write_table


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    """2026-11-21T12:00:00Z: what is on sale depends on the day."""
    monkeypatch.setattr("bascule.cli.market.now_ms", lambda: 1_795_262_400_000)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def market(run: Any, path: Path, *more: str) -> Any:
    found = run("market", "--from", str(path), "--json", *more)
    assert found.code == 0, found.err
    return found.json


PAIR = ("--only", "claude-opus-4.7", "--only", "deepseek-v4-flash")
JOB_62 = ("--quality", "62", "--benchmark", "swe_bench")
JOB_66 = ("--quality", "66", "--benchmark", "swe_bench")
FIGURES = [
    # part, side, options, the fold, an input, what it is changed to, the fold then
    ("whole", "input", (), 600, "qwen-3.5-9b,       input: 0.05", "qwen-3.5-9b,       input: 0.10", 300),
    ("whole", "input", ("--without", "claude-mythos-5"), 300, "qwen-3.5-9b,       input: 0.05",
     "qwen-3.5-9b,       input: 0.06", 250),
    ("whole", "output", (), 535.714, "input: 30.00, output: 150.00", "input: 30.00, output: 75.00", 267.857),
    ("adequate", "input", PAIR, 107.143, "input: 0.14,", "input: 0.15,", 100),
    ("adequate", "input", PAIR, 107.143, "input: 0.14,", "input: 0.30,", 50),
    ("adequate", "output", PAIR, 267.857, "output: 0.28,", "output: 0.30,", 250),
    ("adequate", "blended", PAIR, 171.429, "output: 0.28,", "output: 0.42,", 142.857),
    ("adequate", "input", JOB_62, 2, "input: 3.00, ", "input: 6.00, ", 4),
    ("adequate", "output", JOB_62, 2.5, "output: 15.00, ", "output: 30.00, ", 5),
    ("adequate", "input", JOB_66, 1.5, "swe_bench: 64.5", "swe_bench: 66.5", 1.5),
    ("adequate", "output", JOB_66, 1.25, "swe_bench: 64.5", "swe_bench: 66.5",
     1.875),
]  # fmt: skip


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(("part", "side", "options", "fold", "old", "new", "then"), FIGURES)
def test_each_spread_follows_from_its_inputs(
    run: Any,
    tmp_path: Path,
    part: str,
    side: str,
    options: tuple[str, ...],
    fold: float,
    old: str,
    new: str,
    then: float,
) -> None:
    as_given = market(run, write_table(tmp_path), *options)
    assert as_given[part]["spreads"][side]["fold"] == pytest.approx(fold, rel=1e-5)
    moved = market(run, write_table(tmp_path, (old, new)), *options)
    assert moved[part]["spreads"][side]["fold"] == pytest.approx(then, rel=1e-5)


@pytest.mark.usefixtures("bare")
def test_what_is_not_known_is_not_adequate(run: Any, tmp_path: Path) -> None:
    shown = market(run, write_table(tmp_path), "--quality", "66", "--benchmark", "swe_bench")
    assert [one["model"] for one in shown["adequate"]["lines"]] == ["gemini-3.1-pro", "claude-sonnet-4.6"]
    assert shown["adequate"]["left_out"] == {"quality unknown": 8, "quality below the floor": 2}
    roomy = market(run, write_table(tmp_path), "--context", "500000")
    assert [one["model"] for one in roomy["adequate"]["lines"]] == ["deepseek-v4-flash"]
    assert roomy["adequate"]["spreads"] == {}
    assert roomy["adequate"]["left_out"] == {"context unknown": 11}
    assert market(run, write_table(tmp_path))["adequate"] is None
    assert "there is no spread" in run("market", "--from", str(tmp_path / "published.yaml"), "--context", "500000").out


@pytest.mark.usefixtures("bare")
def test_the_two_markets_side_by_side(run: Any, tmp_path: Path) -> None:
    cheap, middle, dear = market(run, write_table(tmp_path))["markets"]
    assert (cheap["market"], cheap["models"]) == ("commodity", 2)
    assert (middle["market"], middle["models"] + dear["models"]) == ("mid", 9)
    assert dear["market"] == "premium"
    assert cheap["median_blended_usd_per_mtok"] == "0.175"
    assert dear["dearest"] == {"model": "claude-mythos-5", "provider": None, "usd_per_mtok": "60"}
    half = market(run, write_table(tmp_path), "--input-share", "0.5")["markets"]
    assert half[2]["dearest"]["usd_per_mtok"] == "90"


CACHING = [
    # model, price of a read, of a write, reads until it pays, an input, changed to, the read then
    ("claude-sonnet-4.6", "0.3", "3.75", 0.25 / 0.9, "read: 0.10", "read: 0.20", "0.6"),
    ("claude-opus-4.7", "1.5", "18.75", 0.25 / 0.9, "write: 1.25, read: 0.10", "write: 2.00, read: 0.20", "3"),
    ("gpt-5.4", "6", "12", 0, "read: 0.50", "read: 0.25", "3"),
    ("gemini-3.1-pro", "0.5", "2", 0, "read: 0.25", "read: 0.10", "0.2"),
    ("deepseek-v4-flash", "0.0028", None, None, "cache_read: 0.0028", "cache_read: 0.014", "0.014"),
]


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(("model", "read", "write", "reads", "old", "new", "then"), CACHING)
def test_cached_prices_follow_from_the_multiples(
    run: Any,
    tmp_path: Path,
    model: str,
    read: str,
    write: str | None,
    reads: float | None,
    old: str,
    new: str,
    then: str,
) -> None:
    def line(path: Path) -> Any:
        return next(one for one in market(run, path)["caching"]["models"] if one["model"] == model)

    found = line(write_table(tmp_path))
    assert (found["cache_read_usd_per_mtok"], found["cache_write_usd_per_mtok"]) == (read, write)
    assert found["reads_to_pay"] == (None if reads is None else pytest.approx(reads))
    assert line(write_table(tmp_path, (old, new)))["cache_read_usd_per_mtok"] == then


@pytest.mark.usefixtures("bare")
def test_the_book_s_own_multiples_stand_beside_the_published_ones(run: Any, tmp_path: Path) -> None:
    caching = market(run, write_table(tmp_path))["caching"]
    assert caching["published"]["openai"] == {"write": "1", "read": "0.5"}
    book = {one["provider"]: one for one in caching["book"]}
    assert set(book) == {"anthropic", "openai", "google"}
    assert (book["anthropic"]["read"], book["anthropic"]["write"]) == (0.1, 1.25)
    assert book["openai"]["read_high"] == 0.5


def test_the_book_s_market_with_what_the_configuration_declares(run: Any, place: Path) -> None:
    shown = run("market", "--quality", "0.8", "--json").json
    assert [one["model"] for one in shown["adequate"]["lines"]] == ["big"]
    assert shown["adequate"]["left_out"]["quality unknown"] > 1000
    assert shown["adequate"]["left_out"]["quality below the floor"] == 1
    for_code = run("market", "--quality", "0.7", "--task", "code_generation", "--json").json
    assert [one["model"] for one in for_code["adequate"]["lines"]] == ["small"]
    assert shown["whole"]["left_out"]["free"] > 0
    assert shown["whole"]["spreads"]["output"]["fold"] > 1000
    own = run("market", "--provider", "anthropic", "--json").json["whole"]
    assert own["spreads"]["input"]["fold"] < shown["whole"]["spreads"]["input"]["fold"]
    text = run("market", "--quality", "0.7").out
    assert "quality unknown" in text
    assert "2.29x" not in text


@pytest.mark.usefixtures("bare")
def test_wrong_use(run: Any, tmp_path: Path) -> None:
    path = str(write_table(tmp_path))
    assert run("market", "--benchmark", "swe_bench").code == 2
    assert run("market", "--from", path, "--quality", "60").code == 2
    unknown = run("market", "--from", path, "--benchmark", "mmlu")
    assert unknown.code == 1
    assert "swe_bench" in unknown.err
    assert run("market", "--from", path, "--only", "gpt-9").code == 1
    assert run("market", "--provider", "acme").code == 1
    (tmp_path / "empty.yaml").write_text("trends: []\n")
    assert run("market", "--from", str(tmp_path / "empty.yaml")).code == 1
