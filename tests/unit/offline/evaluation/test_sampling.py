import json
from typing import Any

import pytest

from bascule.model.content import Recording
from bascule.model.row import AttemptRow
from bascule.offline.evaluation.sampling import (
    MAX_QUESTION_CHARS,
    Left,
    case_of,
    chosen,
    chosen_by_session,
    is_usable,
    reasons,
)
from bascule.offline.evaluation.suite import MAX_TOKENS, Case


def row(name: str = "r", **more: Any) -> AttemptRow:
    told: dict[str, Any] = {"kind": "settle", "status": 200, "role": "primary", "dialect_out": "openai_chat"} | more
    told = {"chain": "", "task": "chat", "model": "big"} | told
    return AttemptRow(attempt_id=f"att_{name}.1", request_id=f"req_{name}", attempt_no=1, **({"ts_start_ms": 0} | told))


def recording(request: Any, answer: Any, **more: Any) -> Recording:
    raw = [one if isinstance(one, bytes | None) else json.dumps(one).encode() for one in (request, answer)]
    return Recording(attempt_id="att_r.1", request_id="req_r", ts_ms=0, request=raw[0], answer=raw[1], **more)


ASKED = {"model": "up", "stream": True, "stream_options": {}, "messages": [{"role": "user", "content": "Hi"}]}
TOLD = {"id": "1", "choices": [{"message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]}


@pytest.mark.parametrize(
    "more",
    [
        {"kind": "intent"}, {"role": "shadow"}, {"status": 500}, {"error_class": "truncated"},
        {"dialect_out": "cohere"}, {"tags": {"eval": "x"}}, {"task": "code"},
    ],
)  # fmt: skip
def test_what_is_no_answer_to_a_client_is_not_drawn(more: dict[str, Any]) -> None:
    assert is_usable(row(), "chat")
    assert not is_usable(row(**more), "chat")


def test_the_same_traffic_gives_the_same_sample() -> None:
    rows = [row(str(number), ts_start_ms=number) for number in range(500)]
    first = chosen(rows, 20, 0)
    assert chosen(reversed(rows), 20, 0) == first
    assert chosen(rows, 20, 1) != first
    assert [one.ts_start_ms for one in first] == sorted([one.ts_start_ms for one in first])
    # A longer period keeps what is still among the first drawn: no tail of time is preferred.
    assert 150 < sum([one.ts_start_ms for one in chosen(rows, 100, 0)]) / 100 < 350


def test_of_a_session_one_is_drawn() -> None:
    rows = [row(str(number), session_id=f"s{number % 7}") for number in range(100)] + [row("own"), row("other")]
    drawn, sessions = chosen_by_session(rows, 50, 0)
    assert sessions == 9
    assert len(drawn) == 9
    assert len({one.session_id or one.request_id for one in drawn}) == 9
    assert len(chosen_by_session(rows, 4, 0)[0]) == 4


def test_a_case_asks_as_it_was_asked() -> None:
    case = case_of(row(), recording(ASKED, TOLD), None)
    assert isinstance(case, Case)
    assert case.body == {"messages": ASKED["messages"], "max_tokens": 2 * MAX_TOKENS}
    assert (case.id, case.incumbent, case.question, case.task) == ("req_r", "Hello", "user: Hi", "chat")
    capped = case_of(row(), recording(ASKED | {"max_completion_tokens": 9}, TOLD), None)
    assert isinstance(capped, Case)
    assert "max_tokens" not in capped.body


def test_a_long_conversation_is_shortened_for_a_judge_alone() -> None:
    long = ASKED | {"messages": [{"role": "user", "content": "x" * 200_000}]}
    case = case_of(row(), recording(long, TOLD), None)
    assert isinstance(case, Case)
    assert len(case.question) < MAX_QUESTION_CHARS + 100
    assert "characters left out" in case.question
    assert len(case.body["messages"][0]["content"]) == 200_000


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (None, "no content"),
        (recording(None, None), "no content"),
        (recording(ASKED, TOLD, cut=True), "cut"),
        (recording([1], TOLD), "no JSON object"),
        (recording(b"{", TOLD), "request cannot be read"),
        (recording({"messages": 7}, TOLD), "request cannot be read"),
        (recording(ASKED, {"choices": 7}), "answer cannot be read"),
        (recording(ASKED, b"data: {}"), "answer cannot be read"),
    ],
)
def test_what_makes_no_case_says_why(given: Recording | None, why: str) -> None:
    found = case_of(row(), given, None)
    assert isinstance(found, Left)
    assert why in found.reason


def test_reasons_are_counted() -> None:
    assert list(reasons([Left("a"), Left("b"), Left("b")]).items()) == [("b", 2), ("a", 1)]
