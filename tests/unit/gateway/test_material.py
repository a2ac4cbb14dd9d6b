"""Texts for judges, cut to what is held for."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.strategies.material import CUT, conversation, filler, first_bytes, last_bytes, size_of
from bascule.model.request import Image, Message, Request, Text, ToolResult, ToolUse

ANY = st.text(max_size=300)


@given(ANY, st.integers(40, 200))
def test_what_is_cut_fits_and_is_a_part_of_the_text(text: str, most: int) -> None:
    start, end = first_bytes(text, most), last_bytes(text, most)
    assert size_of(start) <= most
    assert size_of(end) <= most
    assert text.startswith(start.removesuffix(CUT))
    assert text.endswith(end.removeprefix(CUT))
    if size_of(text) <= most:
        assert start == end == text


@given(ANY)
def test_sizes_are_those_in_a_body(text: str) -> None:
    assert size_of(text) == len(json.dumps(text, ensure_ascii=False).encode())


@pytest.mark.parametrize("most", [2, 3, 100])
def test_a_filler_takes_all_of_it(most: int) -> None:
    assert size_of(filler(most)) == most


def test_half_characters_are_replaced_and_take_no_more() -> None:
    assert first_bytes("a\ud83d", 40) == "a?"


def test_a_conversation_is_its_turns_with_their_roles() -> None:
    asked = Request(
        model="m",
        instructions=(Text(text="Be kind."),),
        messages=(
            Message(role="user", content=(Text(text="See"), Image(url="https://x.test/a.png"))),
            Message(role="assistant", content=(ToolUse(id="1", name="look", arguments="{}"),)),
            Message(role="user", content=(ToolResult(tool_use_id="1", content=(Text(text="red"),)),)),
        ),
    )
    assert conversation(asked) == (
        "system: Be kind.\n\nuser: See\n(image)\n\nassistant: (calls look with {})\n\nuser: (result: red)"
    )


def test_of_a_text_without_end_no_more_than_its_end_is_looked_at() -> None:
    text = "a" * 5_000_000 + "é" * 20
    assert last_bytes(text, 100) == CUT + "a" * (100 - size_of(CUT) - 40) + "é" * 20
    assert first_bytes(text, 100) == "a" * (100 - size_of(CUT)) + CUT
