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
