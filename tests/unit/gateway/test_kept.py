"""Answers kept for requests that refer to them: bounded, each for its own key, put in the place of the reference."""

import json
from typing import Any

import msgspec
import pytest

from bascule.dialects.openai_responses.history import output_of
from bascule.gateway.kept import KeptAnswers
from bascule.model.errors import Refusal


def store(**bounds: Any) -> KeptAnswers:
    return KeptAnswers(**{"ttl_s": 100.0, "max_entries": 10, "max_bytes": 100_000, "max_body_bytes": 100_000, **bounds})


def response(name: str, text: str = "hello") -> bytes:
    message = {"id": f"msg_{name}_0", "type": "message", "role": "assistant", "content": text}
    return json.dumps({"id": f"resp_{name}", "output": [message]}).encode()


def user(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": text}


def said(name: str, text: str = "hello") -> dict[str, Any]:
    item: dict[str, Any] = json.loads(response(name, text))["output"][0]
    return item


def item_text(name: str) -> bytes:
    """As `response` has it."""
    return json.dumps(said(name)).encode()


def conversation(name: str) -> bytes:
    """Of what was said to "hi", as it is kept."""
    return b"[" + msgspec.json.encode(user("hi")) + b"," + item_text(name) + b"]"


def test_a_previous_answer_becomes_the_conversation_before() -> None:
    kept = store()
    kept.keep("ci", {"input": "hi", "instructions": "Be brief."}, response("1"), 0.0)
    asked = {"model": "m", "input": "more", "previous_response_id": "resp_1"}
    expanded = kept.expand("ci", asked, b"", 1.0)
    assert expanded == {"model": "m", "input": [user("hi"), said("1"), user("more")]}
    assert isinstance(expanded, dict)
    kept.keep("ci", expanded, response("2"), 1.0)
    again = kept.expand("ci", {"previous_response_id": "resp_2", "input": [user("on")]}, b"", 2.0)
    assert again == {"input": [user("hi"), said("1"), user("more"), said("2"), user("on")]}


def test_an_item_is_found_by_its_id() -> None:
    kept = store()
    kept.keep("ci", {"input": "hi"}, response("1"), 0.0)
    reference = {"type": "item_reference", "id": "msg_1_0"}
    unknown = {"type": "item_reference", "id": "msg_9"}
    assert kept.expand("ci", {"input": [user("hi"), reference, unknown]}, b"", 1.0) == {
        "input": [user("hi"), said("1"), unknown]
    }


@pytest.mark.parametrize(
    "body",
    [
        {"input": "hi"},
        {"input": [user("hi")], "previous_response_id": "resp_9"},
        {"input": 5, "previous_response_id": "resp_1"},
        {"input": [5, {"type": "item_reference"}, {"type": "item_reference", "id": []}]},
        {"previous_response_id": {}},
    ],
)
def test_nothing_changes_where_nothing_was_kept(body: dict[str, Any]) -> None:
    kept = store()
    kept.keep("ci", {"input": "hi"}, response("1"), 0.0)
    assert kept.expand("ci", body, b"", 1.0) is None


ITEM = {"type": "item_reference", "id": "msg_1_0"}


def test_an_item_is_referred_to_once() -> None:
    """Else a short request would become a very long one."""
    kept = store()
    kept.keep("ci", {"input": "hi"}, response("1"), 0.0)
    refused = kept.expand("ci", {"input": [ITEM, user("and"), ITEM]}, b"", 1.0)
    assert isinstance(refused, Refusal)
    assert (refused.kind, refused.param) == ("malformed", "input[2].id")
    unknown = {"type": "item_reference", "id": "msg_9"}
    assert kept.expand("ci", {"input": [unknown, unknown]}, b"", 1.0) is None  # its provider's to judge


@pytest.mark.parametrize(
    ("body", "kept_bytes"),
    [
        ({"input": [ITEM]}, len(item_text("1"))),
        ({"input": [ITEM, {**ITEM, "id": "msg_2_0"}]}, len(item_text("1")) + len(item_text("2"))),
        ({"input": "more", "previous_response_id": "resp_1"}, len(conversation("1"))),
        ({"input": [{**ITEM, "id": "msg_2_0"}], "previous_response_id": "resp_1"},
         len(conversation("1")) + len(item_text("2"))),
    ],
)  # fmt: skip
def test_a_request_grows_no_larger_than_one_may_be(body: dict[str, Any], kept_bytes: int) -> None:
    kept = store(max_body_bytes=1_000)
    for name in "12":
        kept.keep("ci", {"input": "hi"}, response(name), 0.0)
    assert isinstance(kept.expand("ci", body, b"x" * (1_000 - kept_bytes), 1.0), dict)
    refused = kept.expand("ci", body, b"x" * (1_001 - kept_bytes), 1.0)
    assert isinstance(refused, Refusal)
    assert refused.kind == "too_large"


def test_what_refers_to_nothing_is_not_judged_by_its_size() -> None:
    assert store(max_body_bytes=10).expand("ci", {"input": [user("hi"), ITEM]}, b"x" * 100, 1.0) is None


def test_each_answer_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many of its items are referred to."""
    kept = store()
    items = [{"id": f"msg_{at}", "type": "message", "content": "x"} for at in range(50)]
    kept.keep("ci", {"input": "hi"}, json.dumps({"id": "resp_1", "output": items}).encode(), 0.0)
    read: list[bytes] = []

    def counted(text: bytes) -> dict[str, bytes]:
        read.append(text)
        return output_of(text)

    monkeypatch.setattr("bascule.gateway.kept.output_of", counted)
    references = [{"type": "item_reference", "id": item["id"]} for item in items]
    assert kept.expand("ci", {"input": references}, b"", 1.0) == {"input": items}
    assert len(read) == 1


def test_another_key_finds_nothing() -> None:
    kept = store()
    kept.keep("ci", {"input": "hi"}, response("1"), 0.0)
    assert kept.response("other", "resp_1", 1.0) is None
    assert kept.expand("other", {"input": "x", "previous_response_id": "resp_1"}, b"", 1.0) is None
    assert kept.expand("other", {"input": [{"type": "item_reference", "id": "msg_1_0"}]}, b"", 1.0) is None
    assert not kept.forget("other", "resp_1")
    assert kept.response("ci", "resp_1", 1.0) == response("1")


def test_store_false_keeps_nothing() -> None:
    kept = store()
    kept.keep("ci", {"input": "hi", "store": False}, response("1"), 0.0)
    assert len(kept) == 0


def test_it_is_bounded_in_number_bytes_and_age() -> None:
    kept = store(max_entries=2)
    for name in "123":
        kept.keep("ci", {"input": "hi"}, response(name), 0.0)
        kept.response("ci", "resp_1", 0.0)  # the one that is asked for stays
    assert [kept.response("ci", f"resp_{name}", 0.0) is not None for name in "123"] == [True, False, True]
    assert kept.expand("ci", {"input": [{"type": "item_reference", "id": "msg_2_0"}]}, b"", 1.0) is None
    assert kept.response("ci", "resp_1", 100.0) is None
    assert len(kept) == 1
    small = store(max_bytes=1_000)
    small.keep("ci", {"input": "x" * 2_000}, response("1"), 0.0)
    assert len(small) == 0
    for name in "23456789":
        small.keep("ci", {"input": "x" * 300}, response(name), 0.0)
    assert 1 <= len(small) <= 2


def test_an_answer_that_comes_again_takes_the_place_of_the_first() -> None:
    kept = store()
    kept.keep("ci", {"input": "hi"}, response("1"), 0.0)
    kept.keep("ci", {"input": "hi"}, response("1", "other"), 0.0)
    assert len(kept) == 1
    assert kept.response("ci", "resp_1", 0.0) == response("1", "other")
    assert kept.forget("ci", "resp_1")
    assert not kept.forget("ci", "resp_1")
