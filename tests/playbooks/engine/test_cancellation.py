"""The server drops a request, at every turn of the loop in which it could: no hold and no intent stays open."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.playbooks.engine.conftest import CONFIG, Begin, strict
from tests.playbooks.engine.wire import (
    DONE,
    ROLE,
    STOP,
    a_stream,
    answered,
    chat,
    message_events,
    messages,
    openai_error,
    streamed,
    text,
    used,
)

from bascule.testing.transport import Break, Reply, broken, stream

LIMITED = CONFIG.replace('ci: {secret: "env:CI_KEY"', 'ci: {rate: {in_flight: 1}, secret: "env:CI_KEY"')
"""One request at a time: a slot that is not given back is seen by the next request."""

Asked = tuple[Callable[[], dict[str, Any]], str, Callable[[], list[Reply]]]

ASKED: dict[str, Asked] = {
    "whole": (chat, "openai_chat", lambda: [answered()]),
    "failover": (lambda: chat("auto"), "openai_chat", lambda: [openai_error(500), answered()]),
    "reset": (lambda: chat("auto"), "openai_chat", lambda: [broken("reset"), answered()]),
    "stream": (streamed, "openai_chat", lambda: [a_stream("a", "b", "c")]),
    "stream failover": (
        lambda: streamed("auto"),
        "openai_chat",
        lambda: [stream(ROLE, Break("reset")), stream(ROLE, text("a"), STOP, used(), DONE)],
    ),
    "cut stream": (streamed, "openai_chat", lambda: [stream(ROLE, text("a"), Break("reset"))]),
    "messages": (
        lambda: messages(stream=True),
        "anthropic_messages",
        lambda: [stream(*message_events("a", "b"))],
    ),
    "count": (messages, "anthropic_count_tokens", lambda: [Reply(parts=[b'{"input_tokens": 3}'])]),
}


@pytest.mark.parametrize("name", ASKED)
def test_at_every_turn_of_the_loop(begin: Begin, name: str) -> None:
    body, surface, replies = ASKED[name]
    world = begin(config=LIMITED, more=strict("100"))
    for step in range(100):
        world.upstream.replies = replies()
        done = world.cancel_at(world.exchange(body(), surface=surface), step)
        world.assert_at_rest()
        if done:
            break
    else:
        raise AssertionError("it never ended by itself")
    assert step > 2
    calls, rows = len(world.upstream.calls), world.rows
    assert len(rows) == calls
    billed = [row for row in rows if row.error_class == "cancelled"]
    assert billed or name == "count"
    assert all(row.cost_nanousd is not None for row in rows)
    # Under a strict budget an estimate leaves its hold spent: only a bill that was told gives money back.
    charged = [row.hold_nanousd if row.usage_source == "estimated" else row.cost_nanousd for row in rows]
    assert [row.charged_nanousd for row in rows] == charged
    live = world.budget("key:ci")
    assert live.settled_nanousd == sum(row.charged_nanousd for row in rows)
    world.close()
    assert begin(config=LIMITED, more=strict("100"), after=world).budget("key:ci") == live


def test_in_the_pause_before_a_retry(begin: Begin) -> None:
    world = begin(openai_error(429, retry_after="30"), config=LIMITED, more=strict("1"))
    assert not world.cancel_at(world.exchange(chat()), 3, after_s=10.0)
    world.assert_at_rest()
    assert [row.error_class for row in world.rows] == ["rate_limited"]
    assert world.budget("key:ci").settled_nanousd == 0


def test_while_the_provider_says_nothing(begin: Begin) -> None:
    """Whether it bills is not known, so it costs its hold."""
    world = begin(Reply(before=[1_000.0]), config=LIMITED, more=strict("1"))
    assert not world.cancel_at(world.exchange(chat()), 1, after_s=10.0)
    assert (world.row.error_class, world.row.cost_nanousd) == ("cancelled", world.row.hold_nanousd)


def test_in_the_middle_of_a_stream_what_was_seen_is_estimated(begin: Begin) -> None:
    world = begin(stream(ROLE, *[text("word")] * 20, 50.0, DONE), config=LIMITED, more=strict("1"))
    assert not world.cancel_at(world.exchange(streamed()), 1, after_s=10.0)
    row = world.row
    assert (row.error_class, row.usage_source) == ("cancelled", "estimated")
    assert 20 <= (row.tokens_out or 0) <= 23


def test_while_it_is_read_on_for_a_client_that_left(begin: Begin) -> None:
    world = begin(stream(ROLE, text("hel"), 50.0, DONE), config=LIMITED, more=strict("1"))
    assert not world.cancel_at(world.exchange(streamed(), leave_after=1), 1, after_s=10.0)
    world.assert_at_rest()
    assert world.row.usage_source == "estimated"
