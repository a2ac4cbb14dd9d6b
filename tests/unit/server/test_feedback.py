"""`POST /v1/feedback` on a composed gateway."""

import json
from typing import Any

import pytest
from tests.unit.server.conftest import SECRETS

OPEN = """
data_dir: data
providers: {local: {dialect: openai_chat, base_url: "http://127.0.0.1:9/v1", api_key: none}}
models: {small: {endpoints: [{provider: local, model: small-up}], price: {input: 1, output: 1}}}
"""


async def say(gate: Any, call: Any, body: Any, who: str | None = "ci", **headers: str) -> Any:
    given = {**headers, **({"authorization": f"Bearer {SECRETS[who]}"} if who else {})}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await call(gate.app, "POST", "/v1/feedback", headers=given, parts=(raw,))


def said(gate: Any) -> list[tuple[Any, ...]]:
    kept = gate.service.store.outcomes.all()
    return [(each.session_id, each.request_id, each.outcome, each.score, each.source, each.note) for each in kept]


async def test_feedback_is_an_outcome_of_the_request_in_its_session(gate: Any, call: Any) -> None:
    gate.attempt(session_id="s1")
    gate.attempt()
    gate.drain()
    gate.attempt(session_id="s2")  # only in the journal yet
    answer = await say(gate, call, {"request_id": "req_0001", "score": 0.75, "source": "app", "note": "good"})
    assert answer.status == 200
    assert answer.json == {"request_id": "req_0001", "session_id": "s1", "source": "feedback:app", "recorded": True}
    assert answer.headers["cache-control"] == "private, no-store"
    assert (await say(gate, call, {"request_id": "req_0002", "useful": False})).status == 200
    assert (await say(gate, call, {"request_id": "req_0003", "useful": True, "score": 1})).status == 200
    assert said(gate) == [
        ("s1", "req_0001", None, 0.75, "feedback:app", "good"),
        (None, "req_0002", "useless", None, "feedback", None),
        ("s2", "req_0003", "useful", 1.0, "feedback", None),
    ]


async def test_only_the_key_that_asked_may_judge_the_answer(gate: Any, call: Any) -> None:
    gate.attempt()
    body = {"request_id": "req_0001", "useful": True}
    assert (await say(gate, call, body, None)).status == 401
    assert (await say(gate, call, body, "lead")).status == 404
    unknown = await say(gate, call, {"request_id": "req_9999", "useful": True})
    assert unknown.status == 404
    assert "x-bascule-request-id" in unknown.json["error"]["message"]
    anthropic = await say(gate, call, body, "lead", **{"anthropic-version": "2023-06-01"})
    assert (anthropic.status, anthropic.json["type"]) == (404, "error")
    assert said(gate) == []
    assert (await call(gate.app, "GET", "/v1/feedback")).status == 405


async def test_without_keys_on_loopback_anybody_may(make_gate: Any, call: Any) -> None:
    gate = make_gate(OPEN)
    gate.attempt()
    body = {"request_id": "req_0001", "score": 0}
    assert (await say(gate, call, body, None)).status == 200
    assert (await say(gate, call, body, None, origin="https://evil.example")).status == 403


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", {"request_id": 5, "useful": True}, {"useful": True}, {"request_id": "req_0001"},
     {"request_id": "req_0001", "score": 1.5}, {"request_id": "req_0001", "score": "high"},
     {"request_id": "req_0001", "useful": True, "source": "x" * 65}, {"request_id": "req_0001", "useful": 1},
     {"request_id": "req_0001", "useful": True, "note": "x" * 2_001}],
)  # fmt: skip
async def test_malformed_bodies(gate: Any, call: Any, body: Any) -> None:
    gate.attempt()
    assert (await say(gate, call, body)).status == 400
    assert said(gate) == []


async def test_a_body_without_end(gate: Any, call: Any) -> None:
    assert (await say(gate, call, b" " * 70_000)).status == 413
