"""Answers as values: a stream put together says what the whole would have said."""

import json

import pytest

from bascule.gateway.heard import response_of, text_of
from bascule.model.events import (
    Finished,
    RedactedThinkingSeen,
    RefusalDelta,
    Started,
    TextDelta,
    ThinkingDelta,
    ThinkingSigned,
    ToolArgumentsDelta,
    ToolCallStarted,
)
from bascule.model.request import RedactedThinking, RefusalText, Signature, Text, Thinking, ToolUse

PROOF = Signature("anthropic_messages", "c2ln")


def test_deltas_become_blocks_in_their_order_and_calls_may_alternate() -> None:
    response = response_of(
        [
            Started("r1", "m1"),
            ThinkingDelta(0, "h"),
            ThinkingDelta(0, "m"),
            ThinkingSigned(0, PROOF),
            RedactedThinkingSeen(0, PROOF),
            TextDelta(0, "he"),
            TextDelta(0, "llo"),
            ToolCallStarted(0, 0, "c0", "look"),
            ToolCallStarted(0, 1, "c1", "see"),
            ToolArgumentsDelta(0, 1, '{"b"'),
            ToolArgumentsDelta(0, 0, '{"a": 1}'),
            ToolArgumentsDelta(0, 1, ": 2}"),
            Finished(0, "tool_use"),
        ]
    )
    assert (response.id, response.model) == ("r1", "m1")
    (choice,) = response.choices
    assert choice.content == (
        Thinking(text="hm", signature=PROOF),
        RedactedThinking(signature=PROOF),
        Text(text="hello"),
        ToolUse(id="c0", name="look", arguments='{"a": 1}'),
        ToolUse(id="c1", name="see", arguments='{"b": 2}'),
    )
    assert choice.finish_reason == "tool_use"


def test_thinking_after_a_signature_is_another_block_and_choices_are_apart() -> None:
    response = response_of(
        [
            ThinkingDelta(0, "a"),
            ThinkingSigned(0, PROOF),
            ThinkingDelta(0, "b"),
            TextDelta(1, "one"),
            RefusalDelta(1, "no"),
            Finished(1, "stop", "END"),
        ]
    )
    first, second = response.choices
    assert [block.text for block in first.content if isinstance(block, Thinking)] == ["a", "b"]
    assert second.content == (Text(text="one"), RefusalText(text="no"))
    assert (second.stop_sequence, text_of(response, 1)) == ("END", "oneno")


@pytest.mark.parametrize("choice", [0, 3])
def test_of_an_answer_without_choices_there_is_no_text(choice: int) -> None:
    assert text_of(response_of([]), choice) == ""
    assert json.dumps(text_of(response_of([Finished(0, "stop")]), choice)) == '""'
