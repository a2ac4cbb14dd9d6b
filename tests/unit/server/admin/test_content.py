"""Recorded content by the admin API: administrators alone, each look and erasure in the trail."""

from typing import Any

import pytest
from tests.unit.server.conftest import CONFIG

from bascule.model.content import Recording
from bascule.model.idempotency import KeptReply

FULL = CONFIG + "privacy: {record_content: full, content_key: env:BASCULE_ADMIN}\n"
ONE = Recording(
    attempt_id="att_1.1", request_id="req_1", ts_ms=10, user="ann", session_id="s/1", request=b"ask", answer=b"\xff!"
)


@pytest.fixture
def recording_gate(make_gate: Any) -> Any:
    gate = make_gate(FULL.replace("content_key: env:BASCULE_ADMIN", "content_key: env:BOSS_KEY"))
    gate.service.gateway.content.recorder.take(ONE)
    return gate


async def test_a_request_s_recordings(recording_gate: Any) -> None:
    answer = await recording_gate("boss", "GET", "/content/req_1")
    (one,) = answer.json["data"]
    assert (one["attempt_id"], one["request"], one["answer"]) == ("att_1.1", "ask", "\ufffd!")
    assert (await recording_gate("boss", "GET", "/content/req_2")).status == 404
    assert recording_gate.trail == [("key:boss", "content.show", "req_1"), ("key:boss", "content.show", "req_2")]


@pytest.mark.parametrize("who", ["look", "lead", "ci"])
async def test_no_other_role_sees_or_erases(recording_gate: Any, who: str) -> None:
    assert (await recording_gate(who, "GET", "/content/req_1")).status == 403
    assert (await recording_gate(who, "DELETE", "/content?user=ann")).status == 403
    assert recording_gate.trail == []


@pytest.mark.parametrize(("query", "subject"), [("user=ann", "user:ann"), ("session=s%2F1", "session:s/1")])
async def test_erasing_a_subject(recording_gate: Any, query: str, subject: str) -> None:
    gateway = recording_gate.service.gateway
    reply = KeptReply(digest=b"", status=200, headers=(), body=b"x", streamed=False, until_ms=1 << 50)
    gateway.once.kept.put(b"n", reply)
    answer = await recording_gate("admin", "DELETE", f"/content?{query}")
    assert answer.json == {"subject": subject, "erased": 1}
    assert len(gateway.once.kept) == 0
    assert (await recording_gate("admin", "GET", "/content/req_1")).status == 404
    assert recording_gate.trail[0] == ("admin", "content.erase", subject)


@pytest.mark.parametrize("query", ["", "?user=a&session=b", "?user=", "?key=ci"])
async def test_whose_content_must_be_said(recording_gate: Any, query: str) -> None:
    assert (await recording_gate("admin", "DELETE", "/content" + query)).status == 400


async def test_where_nothing_is_recorded(gate: Any) -> None:
    assert (await gate("admin", "GET", "/content/req_1")).status == 404
    assert (await gate("admin", "DELETE", "/content?user=ann")).json == {"subject": "user:ann", "erased": 0}
