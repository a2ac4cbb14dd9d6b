import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bascule.cli.period import now_ms
from bascule.model.usage import Usage

KEYS = {
    "surface", "mode", "key", "model_requested", "session_id", "user", "refusal", "route", "rule", "task",
    "task_source", "floor", "max_cost_usd", "reason", "candidates", "rejected", "hold_usd", "budgets", "observed",
    "method", "policy_version", "price_version", "strategy", "evidence", "facts", "not_known_here",
}  # fmt: skip


@pytest.fixture
def ask(run: Any, place: Path) -> Any:
    def call(body: dict[str, Any], *arguments: str) -> Any:
        (place / "request.json").write_text(json.dumps(body))
        found = run("explain", "request.json", "--json", *arguments)
        assert found.code == 0, found.err
        assert set(found.json) == KEYS
        return found.json

    return call


def chat(model: str = "auto", **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "Hello there, how are you?"}]} | more


def test_a_route_and_its_costs(ask: Any) -> None:
    shown = ask(chat(max_tokens=500))
    first, second = shown["candidates"]
    assert (first["model"], second["model"], shown["route"], shown["floor"]) == ("small", "big", "auto", 0.7)
    assert first["endpoint"] == "local/small-up"
    assert (first["quality_source"], first["quality_mean"]) == ("declared", first["quality"])
    assert {candidate["tier"] for candidate in shown["candidates"]} <= {"commodity", "mid", "premium"}
    assert shown["facts"]["language"] == "en"
    assert "sessions" in shown["not_known_here"]
    for candidate in shown["candidates"]:
        costs = [Decimal(candidate[f"cost_{name}_usd"]) for name in ("p50", "p95", "cap")]
        assert 0 < costs[0] <= costs[1] <= costs[2]
        assert candidate["output_cap"] == 500
    # The hold covers the dearest candidate.
    assert shown["hold_usd"] == second["cost_cap_usd"]
    assert shown["refusal"] is None


def test_a_floor_by_header(ask: Any) -> None:
    shown = ask(chat(), "--header", "x-bascule-quality=0.8", "--header", "X-Bascule-Session: s9")
    assert [candidate["model"] for candidate in shown["candidates"]] == ["big"]
    assert shown["rejected"]
    assert shown["session_id"] == "s9"


def test_budgets_are_those_of_the_ledger(ask: Any, book: Any) -> None:
    book.attempt(cost=49_999_000_000, start=now_ms(), held=())
    book.drain()
    book.attempt(end=None, start=now_ms(), held=(), hold_nanousd=999_000)
    shown = ask(chat(max_tokens=500), "--key", "ci")
    by_scope = {state["scope"]: state for state in shown["budgets"]}
    assert by_scope["key:ci"]["left_usd"] == "0.000001000"
    assert by_scope["key:ci"]["held_usd"] == "0.000999000"
    assert (shown["refusal"]["status"], shown["refusal"]["scope"]) == (402, "key:ci")
    assert Decimal(shown["refusal"]["needed_usd"]) > Decimal("0.000001")
    assert shown["hold_usd"] is None
    assert ask(chat(max_tokens=500))["refusal"] is None


def test_a_key_s_grants_and_cap(ask: Any) -> None:
    assert ask(chat("big"), "--key", "ci")["refusal"]["status"] == 403
    shown = ask(chat("small"), "--key", "ci")
    assert shown["candidates"][0]["sent_cap"] == 4_000


def test_past_answers_tell_the_length(ask: Any, book: Any) -> None:
    usage = Usage(tokens_in=10, tokens_out=40, tokens_reasoning=2, source="reported")
    for _ in range(20):
        book.attempt(start=now_ms() - 60_000, usage=usage)
    candidate = ask(chat("small"))["candidates"][0]
    assert (candidate["past_answers"], candidate["tokens_out_p50"], candidate["tokens_out_p95"]) == (20, 42, 42)


def test_anthropic_bodies_and_unknown_models(ask: Any) -> None:
    shown = ask(chat("claude-haiku-4-5", system="Be brief.", max_tokens=10))
    assert (shown["surface"], shown["candidates"][0]["model"]) == ("anthropic_messages", "small")
    assert ask(chat("unheard-of"))["refusal"]["status"] == 404
    assert ask(chat("small", max_tokens=1), "--dialect", "anthropic")["surface"] == "anthropic_messages"


def gemini(**more: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": "Hello there, how are you?"}]}]} | more


def test_gemini_bodies_take_their_model_from_beside_or_within(ask: Any) -> None:
    capped = gemini(generationConfig={"maxOutputTokens": 500})
    shown = ask(capped, "--model", "small")
    assert (shown["surface"], shown["model_requested"], shown["refusal"]) == ("gemini", "small", None)
    assert shown["candidates"][0]["output_cap"] == 500
    assert ask(gemini(model="models/big"))["model_requested"] == "big"
    assert ask(gemini(model="big"), "--model", "small", "--dialect", "gemini")["model_requested"] == "small"


def test_a_gemini_body_without_a_model_asks_for_one(run: Any, place: Path) -> None:
    (place / "r.json").write_text(json.dumps(gemini()))
    found = run("explain", "r.json")
    assert found.code == 1
    assert "--model" in found.err


def test_responses_bodies(ask: Any) -> None:
    shown = ask({"model": "small", "input": "Hello.", "max_output_tokens": 500})
    assert (shown["surface"], shown["candidates"][0]["output_cap"]) == ("openai_responses", 500)
    assert ask({"model": "small", "input": "Hello."}, "--dialect", "responses")["surface"] == "openai_responses"


def test_another_model_than_the_body_s(ask: Any) -> None:
    assert ask(chat("big", max_tokens=500), "--model", "small")["model_requested"] == "small"


def test_for_people(run: Any, place: Path) -> None:
    (place / "r.json").write_text(json.dumps(chat()))
    text = run("explain", "r.json").out
    assert "local/small-up" in text
    assert "--key" in text
    assert "Hold: $" in text


def test_wrong_use(run: Any, place: Path) -> None:
    (place / "r.json").write_text("{")
    assert run("explain", "r.json").code == 1
    (place / "r.json").write_text(json.dumps({"model": 3, "messages": []}))
    assert run("explain", "r.json").code == 1
    assert run("explain", "missing.json").code == 1
    (place / "r.json").write_text(json.dumps(chat()))
    assert run("explain", "r.json", "--key", "nobody").code == 1
    assert run("explain", "r.json", "--header", "nothing").code == 2
    assert run("explain").code == 2


def test_a_strategy_holds_the_sum_of_its_calls(ask: Any, run: Any, place: Path) -> None:
    text = (place / "bascule.yaml").read_text()
    strategy = "strategy: {cascade: {accept: {judge: {model: big}}}}"
    way = f"routes:\n  way: {{candidates: [small, big], {strategy}}}\n"
    (place / "bascule.yaml").write_text(text.replace("routes:\n", way))
    shown = ask(chat("way", max_tokens=500))
    planned = shown["strategy"]
    assert planned["name"] == "cascade"
    assert [(call["models"], call["times"]) for call in planned["calls"]] == [
        (["small"], 1),
        (["big"], 1),
        (["big"], 1),
    ]
    held = [Decimal(call["hold_usd"]) * call["times"] for call in planned["calls"]]
    assert Decimal(shown["hold_usd"]) == sum(held)
    told = run("explain", "request.json").out
    assert "cascade: small, held at $" in told
    assert ask(chat("auto"))["strategy"] is None
