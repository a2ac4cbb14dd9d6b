"""A stream from its first byte to its last: what is held back, what passes unchanged, and when it is complete."""

from typing import Any

import pytest
from tests.playbooks.engine.conftest import CONFIG, Begin, strict
from tests.playbooks.engine.wire import (
    DONE,
    ROLE,
    STOP,
    a_stream,
    chunk,
    message_events,
    messages,
    named,
    streamed,
    text,
    texts,
    usage,
    used,
)

from bascule.testing.transport import HANG_S, Break, stream

ASKED = {"stream_options": {"include_usage": True}}


def test_nothing_reaches_the_client_before_the_first_content(begin: Begin) -> None:
    world = begin()
    seen: list[bool] = []
    exchange = world.exchange(streamed())
    world.upstream.replies = [
        stream(ROLE, lambda: seen.append(exchange.started), 5.0, text("hello"), 5.0, text("!"), STOP, used(), DONE)
    ]
    world.handle(exchange)
    assert seen == [False]
    assert [word for word, *_ in world.effects] == [
        *("decision", "intent", "call", "start", "send", "send", "settle", "end"),
    ]
    assert exchange.pieces[0] == ROLE + text("hello")
    assert world.row.ts_first_ms == world.row.ts_start_ms + 5_000


def test_the_last_bytes_come_after_the_settlement_is_in_the_journal(begin: Begin) -> None:
    world = begin(a_stream("hel", "lo"))
    answer = world.ask(streamed())
    assert [word for word, *_ in world.effects][-2:] == ["settle", "end"]
    before = b"".join(answer.pieces[:-1])
    assert STOP not in before
    assert DONE not in before
    assert answer.pieces[-1].endswith(DONE)


def test_a_stream_that_comes_at_once_is_settled_before_any_of_it_goes_out(begin: Begin) -> None:
    world = begin(stream(ROLE + text("hello") + STOP + used() + DONE))
    answer = world.ask(streamed())
    assert [word for word, *_ in world.effects] == ["decision", "intent", "call", "settle", "start", "end"]
    assert texts(answer.data) == "hello"


def test_text_passes_byte_for_byte(begin: Begin) -> None:
    odd = b'data: {"choices": [ {"delta":{"content":"\\u00e9\xc3\xa9"} ,"index":0}], "x_vendor" : 1}\n\n'
    world = begin(stream(ROLE, odd, text("lo"), STOP, used(), DONE))
    assert world.ask(streamed()).body == ROLE + odd + text("lo") + STOP + DONE


@pytest.mark.parametrize("size", [1, 7, 1_000_000])
def test_however_it_is_cut_into_pieces(begin: Begin, size: int) -> None:
    whole = (
        ROLE + b": comment\r\n\r\n" + text("héllo ") + text("wörld 🎈").replace(b"\n", b"\r\n") + STOP + used() + DONE
    )
    world = begin(stream(*[whole[at : at + size] for at in range(0, len(whole), size)]))
    answer = world.ask(streamed())
    assert texts(answer.data) == "héllo wörld 🎈"
    assert answer.body.count(b"[DONE]") == 1
    assert world.row.cost_nanousd == 60_000


def test_one_done_and_nothing_after_it(begin: Begin) -> None:
    world = begin(stream(ROLE, text("hi"), STOP, used(), DONE + DONE + text("more")))
    answer = world.ask(streamed())
    assert texts(answer.data) == "hi"
    assert answer.body.endswith(DONE)
    assert answer.body.count(b"[DONE]") == 1


def test_usage_is_always_asked_for_and_shown_only_to_those_who_asked(begin: Begin) -> None:
    world = begin(a_stream(), a_stream())
    quiet = world.ask(streamed())
    assert world.upstream.body()["stream_options"] == {"include_usage": True}
    assert b"usage" not in quiet.body
    asked = world.ask(streamed(**ASKED))
    assert asked.data[-2]["usage"] == {**usage(10, 5), "cost": 0.00006}
    assert [row.usage_source for row in world.rows] == ["reported", "reported"]


def test_the_cost_is_spliced_only_where_that_is_wanted(begin: Begin) -> None:
    world = begin(a_stream(), more="server: {usage_cost: false}")
    assert world.ask(streamed(**ASKED)).data[-2]["usage"] == usage(10, 5)


def test_a_messages_stream_ends_with_its_usage_and_stop(begin: Begin) -> None:
    events = message_events("hel", "lo")
    world = begin(stream(*events))
    answer = world.ask(messages(stream=True), surface="anthropic_messages")
    assert answer.body.startswith(b"".join(events[:-2]))
    assert answer.data[-2]["usage"] == {"output_tokens": 5, "cost": 0.000175}
    assert answer.data[-1] == {"type": "message_stop"}
    assert world.row.cost_nanousd == 10 * 5_000 + 5 * 25_000


def test_streams_cross_dialects(begin: Begin) -> None:
    world = begin(stream(*message_events("hel", "lo")), a_stream("hel", "lo"))
    chat_client = world.ask(streamed("opus", **ASKED))
    assert texts(chat_client.data) == "hello"
    assert chat_client.data[-1] == "[DONE]"
    message_client = world.ask(messages("small", stream=True), surface="anthropic_messages")
    kinds = [event["type"] for event in message_client.data]
    assert (kinds[0], kinds[-1]) == ("message_start", "message_stop")
    assert [row.cost_nanousd for row in world.rows] == [175_000, 60_000]


@pytest.mark.parametrize("model", ["opus", "small"])
def test_a_cut_stream_is_an_error_event_in_the_clients_own_dialect(begin: Begin, model: str) -> None:
    parts: list[Any] = message_events("hel")[:3] if model == "opus" else [ROLE, text("hel")]
    world = begin(stream(*parts, Break("reset")))
    answer = world.ask(messages(model, stream=True), surface="anthropic_messages")
    assert answer.status == 200
    assert b"event: error\n" in answer.body
    assert answer.data[-1]["type"] == "error"
    assert b"message_stop" not in answer.body
    assert answer.ended
    assert world.row.error_class == "reset"


def test_an_empty_stream_is_a_502(begin: Begin) -> None:
    world = begin(stream(), stream(), stream())
    answer = world.ask(streamed())
    assert answer.status == 502
    assert answer.json["error"]["code"] == "upstream_truncated"
    assert [row.error_class for row in world.rows] == ["truncated"] * 3


def test_a_stream_that_stops_without_words_is_an_answer(begin: Begin) -> None:
    world = begin(stream(ROLE, STOP, used(10, 0), DONE))
    answer = world.ask(streamed())
    assert answer.status == 200
    assert answer.data[-1] == "[DONE]"
    assert world.row.cost_nanousd == 10_000


def test_tool_calls_are_content(begin: Begin) -> None:
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "ls", "arguments": "{"}}
    world = begin(stream(ROLE, chunk({"tool_calls": [call]}), Break("reset")))
    answer = world.ask(streamed("auto"))
    assert answer.status == 200
    assert "error" in answer.data[-1]
    assert len(world.upstream.calls) == 1


def test_keep_alives_keep_a_stream_and_nothing_in_memory(begin: Begin) -> None:
    world = begin(stream(*[b": ping\n\n", 50.0] * 10, ROLE, text("hi"), STOP, used(), DONE))
    assert texts(world.ask(streamed()).data) == "hi"


def test_a_preamble_without_end_is_a_fault(begin: Begin) -> None:
    endless = stream(*[ROLE * 1_000] * 10)
    world = begin(endless, a_stream())
    answer = world.ask(streamed("auto"))
    assert answer.header("x-bascule-model") == "big"
    assert world.rows[0].error_class == "protocol"


def test_usage_that_was_not_reported_is_estimated_and_says_so(begin: Begin) -> None:
    world = begin(stream(ROLE, *[text("word")] * 20, STOP, DONE))
    world.ask(streamed())
    row = world.row
    assert row.usage_source == "estimated"
    assert row.tokens_out is not None
    assert row.tokens_out >= 20
    assert row.cost_nanousd == (row.tokens_in or 0) * 1_000 + row.tokens_out * 10_000


def test_cumulative_usage_is_taken_once(begin: Begin) -> None:
    events = message_events("hel", "lo")
    delta = named("message_delta", delta={"stop_reason": None}, usage={"output_tokens": 3})
    world = begin(stream(*events[:-2], delta, *events[-2:]))
    world.ask(messages(stream=True), surface="anthropic_messages")
    assert (world.row.tokens_in, world.row.tokens_out) == (10, 5)


def test_an_idle_stream_is_cut_by_the_providers_own_limit(begin: Begin) -> None:
    config = CONFIG.replace('api_key: "env:ONE_KEY"', 'api_key: "env:ONE_KEY", timeouts: {idle_s: 7}')
    world = begin(stream(ROLE, text("hel"), HANG_S), config=config)
    before_s = world.clock.monotonic_s()
    answer = world.ask(streamed())
    assert 7.0 <= world.clock.monotonic_s() - before_s < 7.1
    assert answer.data[-1]["error"]["code"] == "upstream_timeout_idle"


# The client leaves.

CANCEL = CONFIG.replace('api_key: "env:ONE_KEY"', 'api_key: "env:ONE_KEY", disconnect: cancel')


@pytest.mark.parametrize("leave_after", [0, 1, 2])
def test_a_client_that_leaves_is_metered_to_the_token(begin: Begin, leave_after: int) -> None:
    """By default the rest is read for its usage."""
    world = begin(stream(ROLE, text("hel"), 5.0, text("lo"), 5.0, STOP, used(), DONE), more=strict("1"))
    answer = world.ask(streamed(), leave_after=leave_after)
    assert answer.gone
    assert not answer.ended
    row = world.row
    assert (row.usage_source, row.tokens_in, row.tokens_out, row.cost_nanousd) == ("reported", 10, 5, 60_000)
    assert world.budget("key:ci").settled_nanousd == 60_000
    assert world.upstream.served[0].finished or world.upstream.served[0].closed


def test_where_the_provider_is_cancelled_what_was_seen_is_estimated(begin: Begin) -> None:
    words = [text("word")] * 20
    world = begin(stream(ROLE, *words, HANG_S), config=CANCEL)
    answer = world.ask(streamed(), leave_after=20)
    row = world.row
    assert answer.gone
    assert (row.error_class, row.usage_source) == ("client_gone", "estimated")
    assert row.tokens_out is not None
    assert 20 <= row.tokens_out <= 23
    assert world.upstream.served[0].closed
    assert not world.upstream.served[0].finished


def test_estimates_follow_what_the_model_has_reported_before(begin: Begin) -> None:
    """A model that makes two tokens of five bytes of text, where four bytes for one would be usual."""
    world = begin(config=CANCEL)
    for _ in range(60):
        world.upstream.replies = [stream(ROLE, text("x" * 400), STOP, used(30, 160), DONE)]
        world.ask(streamed())
    world.upstream.replies = [stream(ROLE, text("x" * 400), text("x" * 400), HANG_S)]
    world.ask(streamed(), leave_after=2)
    row = world.rows[-1]
    assert row.error_class == "client_gone"
    assert 320 <= (row.tokens_out or 0) <= 1.15 * 320
    assert 27 <= (row.tokens_in or 0) <= 36


def test_an_estimate_is_never_below_what_was_reported_by_then(begin: Begin) -> None:
    partial = chunk({"content": "hel"}, usage=usage(500, 300))
    world = begin(stream(ROLE, partial, HANG_S), config=CANCEL)
    world.ask(streamed(), leave_after=1)
    row = world.row
    assert (row.tokens_in, row.tokens_out) == (500, 300)
    assert "partial" in row.usage_flags


def test_reading_on_has_an_end(begin: Begin) -> None:
    world = begin(stream(ROLE, text("hel"), 30.0, 30.0, 30.0, DONE), more="server: {limits: {drain_s: 45}}")
    before_s = world.clock.monotonic_s()
    world.ask(streamed(), leave_after=1)
    assert 45.0 <= world.clock.monotonic_s() - before_s < 45.1
    assert (world.row.error_class, world.row.usage_source) == ("client_gone", "estimated")


def test_only_so_many_are_read_on_at_once(begin: Begin) -> None:
    world = begin(more="server: {limits: {max_drains: 2}}")
    world.upstream.replies = [stream(ROLE, text("hel"), 5.0, text("lo"), STOP, used(), DONE) for _ in range(5)]
    world.handle(*[world.exchange(streamed(), leave_after=1) for _ in range(5)])
    assert sorted(row.usage_source for row in world.rows) == ["estimated"] * 3 + ["reported"] * 2


def test_an_upstream_that_breaks_while_it_is_read_on(begin: Begin) -> None:
    world = begin(stream(ROLE, text("hel"), 5.0, Break("reset")))
    world.ask(streamed("auto"), leave_after=1)
    row = world.row
    assert (row.error_class, row.usage_source) == ("reset", "estimated")
    assert len(world.upstream.calls) == 1


def test_for_a_client_that_has_left_already_nothing_is_bought(begin: Begin) -> None:
    world = begin(a_stream())
    exchange = world.exchange(streamed())
    exchange.gone = True
    world.handle(exchange)
    assert world.rows == []
    assert world.upstream.calls == []
