"""Numbers that msgspec skips but does not decode, and other bodies that were once a 500."""

import pytest

from bascule.decide.identify import identify
from bascule.dialects.anthropic_messages.dialect import ANTHROPIC_COUNT_TOKENS
from bascule.dialects.openai_chat.parse_response import parse_response
from bascule.dialects.openai_chat.usage import read_usage
from bascule.model.headers import Headers


@pytest.mark.parametrize("number", ["9" * 5_000, "-" + "9" * 5_000, "1e999"])
def test_an_answer_is_read_whatever_numbers_it_holds(number: str) -> None:
    raw = '{"choices":[{"message":{"content":"hello"},"finish_reason":"stop"}],"x":' + number + "}"
    (choice,) = parse_response(raw.encode()).choices
    assert choice.finish_reason == "stop"


def test_a_count_without_end_is_cut() -> None:
    assert read_usage(b'{"prompt_tokens":%s}' % (b"9" * 5_000)).flags == ("clamped",)


def test_a_count_is_never_a_stream() -> None:
    facts = ANTHROPIC_COUNT_TOKENS.read_facts(
        {"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": True}, 10
    )
    assert facts.stream is False
    deep = b"[" * 1_900 + b"]" * 1_900
    assert identify(Headers([(b"x-portkey-metadata", deep)]), facts, None).tags == {}
