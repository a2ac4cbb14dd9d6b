"""Where in a body is looked, what is left alone, and how policies add up."""

import copy
import re
from typing import Any

import pytest

from bascule.decide.protect import Recogniser, TooMuchText, combined, search, weakened
from bascule.model.policy import NO_PROTECTION, Protect

ANY = (Recogniser("word", "secrets", re.compile("hush"), lambda text: True),)
REDACT = frozenset({"secrets"})
SEEN: list[Any] = [
    {"messages": [{"role": "user", "content": "hush"}]},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "a hush b"}]}]},
    {"system": "hush", "messages": []},
    {"messages": [{"role": "assistant", "tool_calls": [{"id": "1", "function": {"arguments": '{"a":"hush"}'}}]}]},
    {"input": [{"type": "function_call_output", "call_id": "c", "output": "hush"}]},
    {"contents": [{"parts": [{"text": "hush"}, {"functionResponse": {"response": {"x": ["hush"]}}}]}]},
    {"content": [{"type": "document", "source": {"type": "text", "data": "hush", "media_type": "text/plain"}}]},
    {"input": ["hush", "ho"]},
    {"tools": [{"description": "hush"}]},
    {"content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"id": "hush", "a": [{"status": "hush"}]}}]},
    {"content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"type": "base64", "data": "hush"}}]},
    {"parts": [{"functionCall": {"name": "f", "args": {"session_id": "hush", "type": "thinking"}}}]},
    {"parts": [{"functionResponse": {"id": "c", "response": {"role": "hush"}}}]},
    {"messages": [{"role": "user", "content": "data:;base64, hush"}]},
]  # fmt: skip
UNSEEN: list[Any] = [
    {"content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "hush"}}]},
    {"image_url": {"url": "data:image/png;base64,hush"}},
    {"parts": [{"inlineData": {"mimeType": "image/png", "data": "hush"}}]},
    {"input_audio": {"format": "wav", "data": "hush"}},
    {"content": [{"type": "thinking", "thinking": "hush", "signature": "hush"}]},
    {"parts": [{"text": "ho", "thoughtSignature": "hush"}]},
    {"id": "hush", "tool_call_id": "hush", "model": "hush"},
    {"input": [{"type": "reasoning", "encrypted_content": "hush", "summary": ["hush"]}]},
]


@pytest.mark.parametrize("body", SEEN)
def test_every_text_is_read_and_the_body_itself_stays(body: Any) -> None:
    before = copy.deepcopy(body)
    done = search(body, ANY, REDACT, 1_000)
    assert done.counts["word"] >= 1
    assert "hush" not in str(done.body)
    assert body == before
    found = search(body, ANY, frozenset(), 1_000)
    assert (found.counts, found.kinds) == (done.counts, {"secrets"})
    assert found.body is body


@pytest.mark.parametrize("body", UNSEEN)
def test_what_is_no_text_or_was_signed_is_left_alone(body: Any) -> None:
    done = search(body, ANY, REDACT, 1_000)
    assert (done.counts, done.body) == ({}, body)
    assert done.body is body


def test_only_so_much_is_searched() -> None:
    assert search(["x" * 10], ANY, REDACT, 10).counts == {}
    with pytest.raises(TooMuchText):
        search(["x" * 6, "x" * 5], ANY, REDACT, 10)


def test_of_two_actions_the_stronger_holds() -> None:
    redact, block = Protect(personal="redact"), Protect(personal="block", secrets="force_local")
    assert combined(redact, block) == combined(block, redact) == block
    assert combined(NO_PROTECTION, redact) == redact
    assert combined() is NO_PROTECTION


def test_a_child_may_not_look_for_less() -> None:
    parent = Protect(personal="redact", secrets="block")
    assert not weakened(parent, parent)
    assert not weakened(parent, Protect(personal="block", secrets="block"))
    assert not weakened(NO_PROTECTION, parent)
    for child in (NO_PROTECTION, Protect(personal="redact"), Protect(personal="redact", secrets="redact"),
                  Protect(personal="force_local", secrets="block")):  # fmt: skip
        assert weakened(parent, child)
