"""Whatever strategies run at once, in whatever order their calls end: a strict budget is never exceeded."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.playbooks.engine.conftest import CONFIG, ENVIRONMENT, Playbook, strict
from tests.playbooks.engine.wire import chat, completion, message, openai_error

from bascule.testing.transport import Break, Reply, whole

ROUTES = {
    "cascade": "{cascade: {accept: {regex: '^yes'}}}",
    "judged": "{cascade: {accept: {agreement: {model: own}, judge: {model: opus}}}}",
    "verify": "{verify: {check: {model: opus}}}",
    "best": "{best_of: {n: 3, models: [small, big], judge: {model: opus}}}",
    "race": "race",
    "delegate": "{delegate: {frontier: big, worker: small, max_calls: 2, max_rounds: 1}}",
}
WAYS = "".join([f"  {name}: {{candidates: [small, big], strategy: {one}}}\n" for name, one in ROUTES.items()])
MOST_OUT = 100
"""Tokens that each answer may have, and has where it costs the most."""
ANSWER = json.dumps({"reason": "so", "score": 5, "verdict": "second", "mistakes": [{"kind": "error", "what": "x"}]})
TEXTS = st.sampled_from(["yes", "no", ANSWER])
KIND = st.sampled_from(["answer", "answer", "answer", "call", "error", "break"])
TURN = st.tuples(KIND, TEXTS, st.integers(1, MOST_OUT), st.floats(0, 3))


def reply(host: str, turn: tuple[str, str, int, float], look: Any) -> Reply:
    kind, text, tokens, pause_s = turn
    if kind == "error":
        made = openai_error(500)
    elif kind == "break":
        return Reply(before=[pause_s, look, Break("reset")])
    elif host == "claude.test":
        made = whole(message(text, tokens_in=30, tokens_out=tokens))
    elif kind == "call":
        call = {"id": "c", "type": "function", "function": {"name": "delegate", "arguments": '{"task": "t"}'}}
        told = {"role": "assistant", "content": None, "tool_calls": [call]}
        choice = {"index": 0, "message": told, "finish_reason": "tool_calls"}
        made = whole(completion(tokens_in=30, tokens_out=tokens, choices=[choice]))
    else:
        made = whole(completion(text, tokens_in=30, tokens_out=tokens))
    return Reply(status=made.status, headers=made.headers, before=[pause_s, look], parts=made.parts)


@settings(max_examples=60, deadline=None)
@given(
    asked=st.lists(st.sampled_from(sorted(ROUTES)), min_size=1, max_size=8),
    limit_nanousd=st.integers(1_000_000, 3_000_000_000),
    turns=st.lists(TURN, min_size=5, max_size=25),
)
def test_no_interleaving_overspends(asked: list[str], limit_nanousd: int, turns: list[Any]) -> None:
    with TemporaryDirectory() as folder:
        config = CONFIG.replace("routes:\n", f"routes:\n{WAYS}") + strict(f"{limit_nanousd / 1e9:.9f}")
        world = Playbook(config, [], Path(folder), environment=ENVIRONMENT)
        try:
            _serve(world, asked, limit_nanousd, turns)
        finally:
            world.close()


def _serve(world: Playbook, asked: list[str], limit_nanousd: int, turns: list[Any]) -> None:
    def look() -> None:
        state = world.budget("key:ci")
        assert state.settled_nanousd + state.held_nanousd <= limit_nanousd

    hosts = ("one.test", "two.test", "claude.test")
    world.upstream.at = {host: [reply(host, turns[at % len(turns)], look) for at in range(200)] for host in hosts}
    exchanges = [world.exchange(chat(name, max_tokens=MOST_OUT)) for name in asked]
    world.handle(*exchanges)
    look()
    world.assert_at_rest()
    rows = world.rows
    assert world.budget("key:ci").settled_nanousd >= sum(row.cost_nanousd or 0 for row in rows)
    assert all(row.cost_nanousd is not None and row.cost_nanousd <= (row.hold_nanousd or 0) for row in rows)
    assert all(exchange.ended for exchange in exchanges)
