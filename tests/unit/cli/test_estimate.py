import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("volumes", "prices", "usd"),
    [
        ((5_000_000, 10_000_000), ("3.00", "15.00"), "165.000000000"),
        ((2_000_000_000, 5_000_000_000), ("0.10", "0.40"), "2200.000000000"),
        ((200_000_000, 400_000_000), ("15", "75"), "33000.000000000"),
        ((1, 1), ("0.1", "0.0000001"), "0.0000001000001"),
        ((10**15, 3), ("0.0028", "1e-3"), "2800000.000000003"),
    ],
)
def test_volumes_at_given_prices_are_exact(
    run: Any, volumes: tuple[int, int], prices: tuple[str, str], usd: str
) -> None:
    found = run(
        "estimate", "--input-tokens", str(volumes[0]), "--output-tokens", str(volumes[1]),
        "--price-input", prices[0], "--price-output", prices[1], "--json",
    )  # fmt: skip
    assert found.code == 0, found.err
    assert set(found.json) == {
        "per", "cost_usd", "lines", "model", "provider", "prices_at", "source", "price_version",
    }  # fmt: skip
    assert found.json["cost_usd"] == usd
    assert sum(Decimal(line["cost_usd"]) for line in found.json["lines"]) == Decimal(usd)


def test_volumes_at_a_model_s_price(run: Any) -> None:
    volumes = ("--input-tokens", "1000000", "--output-tokens", "2000000")
    shown = run("estimate", *volumes, "--model", "claude-sonnet-4-5", "--json").json
    assert (shown["cost_usd"], shown["provider"]) == ("33.000000000", "anthropic")
    assert "33.000000000" in run("estimate", *volumes, "--model", "claude-sonnet-4-5").out
    assert run("estimate", *volumes, "--model", "nobody-knows-this").code == 1


def test_requests_of_a_file(run: Any, tmp_path: Path) -> None:
    def chat(**more: Any) -> dict[str, Any]:
        return {"model": "claude-sonnet-4-5", "messages": [{"role": "user", "content": "x" * 1000}]} | more

    batch = {"custom_id": "b", "method": "POST", "url": "/v1/chat/completions", "body": chat(max_tokens=100)}
    lines = [chat(), batch, chat(system="s", max_tokens=50, model="unheard-of"), [1], chat(messages=3)]
    text = "\n".join([json.dumps(line) for line in lines]) + "\n{broken\n"
    (tmp_path / "r.jsonl").write_text(text)
    shown = run("estimate", "--from", "r.jsonl", "--answer-tokens", "400", "--json").json
    assert set(shown) == {"method", "prices_at", "total", "requests", "bad_lines"}
    assert [line["line"] for line in shown["bad_lines"]] == [4, 5, 6]
    assert [line["tokens_out"] for line in shown["requests"]] == [400, 100, 50]
    first, second, third = shown["requests"]
    assert 250 <= first["tokens_in"] <= 400
    assert Decimal(first["cost_usd"]) == (first["tokens_in"] * 3 + 400 * 15) / Decimal(1_000_000)
    assert Decimal(first["most_cost_usd"]) > Decimal(second["most_cost_usd"]) > Decimal(second["cost_usd"])
    assert second["id"] == "b"
    assert third["cost_usd"] is None
    assert "unheard-of" in third["problem"]
    assert (shown["total"]["requests"], shown["total"]["unpriced"]) == (3, 1)
    assert Decimal(shown["total"]["cost_usd"]) == Decimal(first["cost_usd"]) + Decimal(second["cost_usd"])
    text = run("estimate", "--from", "r.jsonl")
    assert "1 of them have no known price" in text.out
    assert "r.jsonl:4: not a JSON object" in text.err
    all_on_one = run("estimate", "--from", "r.jsonl", "--model", "gpt-4o", "--json").json
    assert all_on_one["total"]["unpriced"] == 0


def test_wrong_use(run: Any, tmp_path: Path) -> None:
    assert run("estimate").code == 2
    assert run("estimate", "--input-tokens", "1").code == 2
    assert run("estimate", "--input-tokens", "1", "--output-tokens", "1", "--price-input", "3").code == 2
    assert run("estimate", "--input-tokens", "1", "--price-input", "-3").code == 2
    assert run("estimate", "--input-tokens", "1", "--model", "gpt-4o", "--price-input", "3").code == 2
    assert run("estimate", "--from", "missing.jsonl").code == 1
    (tmp_path / "bad.jsonl").write_text("nothing\n")
    assert run("estimate", "--from", "bad.jsonl").code == 1


def test_calls_content_and_a_baseline(run: Any) -> None:
    shown = run(
        "estimate", "--calls", "1000..2000", "--reads", "page=3", "--in-per-call", "500", "--writes", "email",
        "--model", "claude-sonnet-4-5", "--baseline", "claude-opus-4-5", "--json",
    ).json  # fmt: skip
    assert set(shown) == {
        "per", "cost_usd", "cost_low_usd", "cost_high_usd", "tasks", "optimisations", "pipelines", "agents", "prices",
        "prices_at", "commits",
    }  # fmt: skip
    [row] = shown["tasks"]["rows"]
    assert (row["tokens_in"], row["tokens_out"], row["per_call_usd"]) == ("2000", "200", "0.009000000")
    assert (shown["cost_usd"], shown["cost_low_usd"], shown["cost_high_usd"]) == (None, "9.000000000", "18.000000000")
    assert shown["tasks"]["like_for_like"]["saving"] == "0.4"  # 3 and 15 against 5 and 25, whatever the calls
    assert {price["provider"] for price in shown["prices"]} == {"anthropic"}


def test_a_cache_at_the_price_book_s_own_multiples(run: Any) -> None:
    def cost(*options: str) -> Decimal:
        volumes = ("--input-tokens", "1000000", "--output-tokens", "0", "--model", "claude-sonnet-4-5")
        return Decimal(run("estimate", *volumes, *options, "--json").json["cost_usd"])

    assert cost("--optimise", "prompt_cache=0.5") == Decimal("1.65")  # half of it at a tenth
    assert cost("--optimise", "prompt-cache=50%", "--optimise", "batch=100%") == Decimal("0.825")
    assert cost("--optimise", "routing=0.5:claude-haiku-4-5") == Decimal(2)


def test_a_call_per_commit(run: Any, tmp_path: Path) -> None:
    import subprocess

    def git(*words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false")
        subprocess.run(["git", "-C", str(tmp_path), *who, *words], check=True, capture_output=True)

    git("init", "-q")
    for size in (100, 300):
        (tmp_path / "file").write_text("x" * size + "\n")
        git("add", "file")
        git("commit", "-q", "-m", "a line that is not counted")
    options = (
        "--repo",
        ".",
        "--since",
        "15d",
        "--price-input",
        "10",
        "--price-output",
        "50",
        "--tokens-per-byte",
        "0.5",
    )
    shown = run("estimate", *options, "--in-per-call", "1000", "--out-per-call", "100", "--json").json
    assert (shown["commits"]["commits"], shown["commits"]["commits_per_month"]) == (2, "4")
    size = shown["commits"]["diff_bytes"]
    assert 500 < size < 1000
    [row] = shown["tasks"]["rows"]
    assert Decimal(row["tokens_in"]) == 1000 + Decimal(size) / 4
    assert Decimal(shown["cost_usd"]) == 4 * (Decimal(row["tokens_in"]) * 10 + 5000) / 1000000
    assert "2 commits in 15 days" in run("estimate", *options).out
    assert run("estimate", *options, "--calls", "5", "--in-per-call", "1").code == 2
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    git("-C", str(elsewhere), "init", "-q")
    assert run("estimate", "--repo", "elsewhere", *options[2:]).code == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--calls", "5", "--model", "gpt-4o"), "--in-per-call"),
        (("--calls", "5", "--input-tokens", "1", "--in-per-call", "1", "--model", "gpt-4o"), "per call"),
        (("--input-tokens", "1", "--in-per-call", "1", "--model", "gpt-4o"), "need --calls"),
        (("--calls", "5", "--reads", "pages", "--model", "gpt-4o"), "Did you mean `page`?"),
        (("--calls", "2..1", "--in-per-call", "1", "--model", "gpt-4o"), "lower end"),
        (("--input-tokens", "1", "--model", "gpt-4o", "--optimise", "cashing=1"), "no optimisation"),
        (("--input-tokens", "1", "--model", "gpt-4o", "--optimise", "batch"), "KIND=SHARE"),
        (("--input-tokens", "1", "--model", "gpt-4o", "--optimise", "routing=0.5"), "routing=0.5:MODEL"),
        (("--input-tokens", "1", "--model", "gpt-4o", "--optimise", "batch=1.5"), "within 0 to 1"),
        (("--per-day", "5"), "go together"),
        (("--volume-growth", "-200%"), "more than everything"),
        (("--from", "p.yaml", "--price-input", "3"), "leave out"),
        (("--agents", "p.yaml"), "has no `agents`"),
    ],
)
def test_wrong_use_of_plans(run: Any, tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    (tmp_path / "p.yaml").write_text("tasks: [{task: t, calls: 1, usd_per_call: 1}]")
    found = run("estimate", *options)
    assert found.code == 2
    assert said in found.err


def test_a_plan_in_words(run: Any, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        """
prices: {big: {input: 10, output: 50}, small: {input: 1, output: 4}}
tasks:
  - {task: replies, calls: 1000, model: big, tokens_in: 1000, tokens_out: 200}
  - {task: summaries, calls: 100, model: small, tokens_in: 10000, tokens_out: 500}
optimisations:
  - {kind: routing, share: [40%, 60%], to: small, tasks: [replies]}
  - {kind: response_cache, share: 10%}
pipelines:
  - {pipeline: verified, steps: [{step: write, model: small, tokens_in: 1, tokens_out: 1}]}
agents:
  - {agent: watch, per_day: 10, usd_per_call: 0.01}
"""
    )
    text = run("estimate", "--from", "p.yaml").out
    for words in (
        "calls: 40 to 60 %; replies only", "Most saved: $21.20 becomes ", "twice", "verified", "All of it: $",
        "Prices per million tokens: big $10.00 in, $50.00 out; small $1.00 in, $4.00 out.",
    ):  # fmt: skip
        assert words in text, words
    bad = run("estimate", "--from", "nowhere.yaml")
    assert (bad.code, "nowhere.yaml" in bad.err) == (2, True)
