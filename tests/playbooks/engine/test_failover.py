"""What follows a failed attempt, by error class: who is called next, when, and what both cost."""

import pytest
from tests.playbooks.engine.conftest import CONFIG, OTHER, Begin, Playbook
from tests.playbooks.engine.wire import (
    DONE,
    ROLE,
    STOP,
    a_stream,
    answered,
    chat,
    completion,
    in_band_error,
    message,
    messages,
    openai_error,
    streamed,
    text,
    texts,
    used,
)

from bascule.model.outcome import ErrorClass
from bascule.testing.transport import HANG_S, Break, Reply, broken, stream, whole

SMALL, BIG = 60_000, 180_000
"""10 tokens in and 5 out at each of the models of `auto`."""


def hosts(world: Playbook) -> list[str]:
    return [host for _, host in world.did("call")]


PASSING = [
    (openai_error(429, "slow down"), "rate_limited", 429),
    (openai_error(500), "server_error", 500),
    (openai_error(502), "server_error", 502),
    (whole(b"<html>bad gateway</html>", 502), "server_error", 502),
    (openai_error(503), "overloaded", 503),
    (openai_error(529), "overloaded", 529),
    (broken("connect", request_sent=False), "connect", None),
    (broken("timeout_connect", request_sent=False), "timeout_connect", None),
    (openai_error(404, code="model_not_found"), "not_found", 404),
    (openai_error(401, "bad key"), "auth", 401),
    (openai_error(403, "no"), "auth", 403),
    (openai_error(402, "pay"), "quota_exhausted", 402),
    (openai_error(429, "exceeded your current quota", code="insufficient_quota"), "quota_exhausted", 429),
]


@pytest.mark.parametrize(("reply", "error_class", "status"), PASSING)
def test_a_failure_that_cost_nothing_goes_to_the_other_provider_at_once(
    begin: Begin, reply: Reply, error_class: ErrorClass, status: int | None
) -> None:
    world = begin(reply, answered())
    before_s = world.clock.monotonic_s()
    answer = world.ask(chat("auto"))
    assert answer.status == 200
    assert answer.header("x-bascule-model") == "big"
    assert answer.header("x-bascule-reason") == "failover"
    assert hosts(world) == ["one.test", "two.test"]
    assert world.clock.monotonic_s() == before_s
    failed, served = world.rows
    assert (failed.attempt_no, failed.role, failed.model, failed.provider) == (1, "primary", "small", "one")
    assert (failed.error_class, failed.status, failed.cost_nanousd) == (error_class, status, 0)
    assert failed.usage_source == "none"
    assert (served.attempt_no, served.role, served.error_class, served.cost_nanousd) == (2, "retry", None, BIG)
    assert failed.request_id == served.request_id


UNKNOWN_BILLS = [
    (broken("reset"), "reset", None),
    (Reply(before=[HANG_S]), "timeout_first_byte", None),
    (Reply(parts=[b'{"id": "x", "cho', Break("reset")]), "reset", 200),
    (Reply(parts=[b'{"id": "x", ', HANG_S]), "timeout_idle", 200),
    (whole(b'{"id": "x", "choi'), "truncated", 200),
    (whole(b""), "truncated", 200),
    (whole(b"null"), "protocol", 200),
    (whole(b"<html>captive portal</html>"), "protocol", 200),
]


@pytest.mark.parametrize(("reply", "error_class", "status"), UNKNOWN_BILLS)
def test_a_failure_after_sending_may_be_billed_so_it_costs_its_hold(
    begin: Begin, reply: Reply, error_class: ErrorClass, status: int | None
) -> None:
    world = begin(reply, answered())
    assert world.ask(chat("auto")).status == 200
    failed, served = world.rows
    assert (failed.error_class, failed.status) == (error_class, status)
    assert failed.usage_flags == ("unknown_bill",)
    assert failed.cost_nanousd == failed.hold_nanousd
    assert served.cost_nanousd == BIG


def test_a_whole_answer_waits_longer_for_its_first_byte_than_a_stream_does(begin: Begin) -> None:
    world = begin(Reply(before=[599.0], parts=whole(completion()).parts), Reply(before=[121.0]), a_stream())
    assert world.ask(chat("auto")).status == 200
    assert texts(world.ask(streamed("auto")).data) == "hello"
    assert [row.error_class for row in world.rows] == [None, "timeout_first_byte", None]


@pytest.mark.parametrize("asked", [7.0, 30.0])
def test_the_same_endpoint_is_asked_again_after_the_pause_it_wanted(begin: Begin, asked: float) -> None:
    world = begin(openai_error(429, retry_after=f"{asked:g}"), answered())
    before_s = world.clock.monotonic_s()
    assert world.ask(chat()).status == 200
    assert hosts(world) == ["one.test", "one.test"]
    assert asked <= world.clock.monotonic_s() - before_s < asked + 0.01
    assert [row.cost_nanousd for row in world.rows] == [0, SMALL]


def test_a_pause_in_milliseconds_is_one_too(begin: Begin) -> None:
    world = begin(openai_error(429, retry_after_ms="2500"), answered())
    before_s = world.clock.monotonic_s()
    assert world.ask(chat()).status == 200
    assert 2.5 <= world.clock.monotonic_s() - before_s < 2.6


def test_a_pause_beyond_the_cap_is_the_clients_to_make(begin: Begin) -> None:
    world = begin(openai_error(429, retry_after="86400"))
    before_s = world.clock.monotonic_s()
    answer = world.ask(chat())
    assert answer.status == 429
    assert answer.header("retry-after") == "86400"
    assert world.clock.monotonic_s() == before_s
    assert len(world.upstream.calls) == 1


def test_without_a_retry_after_the_pauses_are_short_and_the_attempts_few(begin: Begin) -> None:
    world = begin(*[openai_error(500)] * 3)
    before_s = world.clock.monotonic_s()
    answer = world.ask(chat())
    assert answer.status == 502
    assert answer.error["code"] == "upstream_server_error"
    assert len(world.upstream.calls) == 3
    assert 0.75 <= world.clock.monotonic_s() - before_s < 1.6
    assert [row.cost_nanousd for row in world.rows] == [0, 0, 0]


def test_an_account_that_was_turned_away_is_not_asked_again(begin: Begin) -> None:
    world = begin(openai_error(429, code="insufficient_quota"))
    assert world.ask(chat()).status == 502
    assert len(world.upstream.calls) == 1


@pytest.mark.parametrize("stream_it", [False, True])
@pytest.mark.parametrize("status", [401, 403])
def test_what_a_provider_says_of_our_key_is_neither_401_nor_shown(begin: Begin, status: int, stream_it: bool) -> None:
    """It may quote the key, and a client that sees 401 throws its own away."""
    echo = "Incorrect API key provided: sk-one-canary-0123456789. Ask ops@example.com"
    for surface, ask in (("openai_chat", chat), ("anthropic_messages", messages)):
        world = begin(openai_error(status, echo, code="invalid_api_key"))
        answer = world.ask(ask("small", stream=stream_it), surface=surface)
        assert answer.status == 502
        assert b"canary" not in answer.body
        assert b"ops@example.com" not in answer.body
        assert b"invalid_api_key" not in answer.body
        assert "canary" not in (world.decision(answer).refusal or "")


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (openai_error(400, "flagged by our filter", code="content_filter"), 400),
        (openai_error(403, "flagged by moderation"), 403),
        (stream(ROLE, in_band_error(code="content_filter", type="invalid_request_error")), 400),
    ],
)
def test_a_refusal_of_content_is_never_routed_around(begin: Begin, reply: Reply, status: int) -> None:
    world = begin(reply)
    answer = world.ask(streamed("auto"))
    assert answer.status == status
    assert answer.error["code"] in ("content_filter", "error")
    assert [row.error_class for row in world.rows] == ["content_filter"]


def test_a_route_may_say_that_others_are_asked_what_one_refuses(begin: Begin) -> None:
    config = CONFIG.replace(
        "auto: {candidates: [small, big]}", "auto: {candidates: [small, big], content_filter: failover}"
    )
    refused = openai_error(400, "flagged by our filter", code="content_filter")
    world = begin(refused, answered(), refused, refused, config=config)
    assert world.ask(chat("auto")).header("x-bascule-model") == "big"
    answer = world.ask(chat("auto"))
    assert (answer.status, answer.error["code"]) == (400, "content_filter")
    assert hosts(world) == ["one.test", "two.test"] * 2


def test_a_deadline_of_the_configuration_holds_where_the_request_has_none_or_a_later_one(begin: Begin) -> None:
    for headers in ({}, {"x-bascule-deadline": "60s"}):
        world = begin(Reply(before=[HANG_S]), more="retry: {deadline_s: 4}\n")
        before_s = world.clock.monotonic_s()
        assert world.ask(chat("auto"), headers=headers).error["code"] == "deadline_exceeded"
        assert 4.0 <= world.clock.monotonic_s() - before_s < 4.1


def test_the_clients_own_mistake_is_told_and_tried_nowhere_else(begin: Begin) -> None:
    world = begin(openai_error(422, "temperature must be below 2", code="invalid_value"))
    answer = world.ask(chat("auto"))
    assert answer.status == 422
    assert answer.error["message"] == "temperature must be below 2"
    assert world.row.cost_nanousd == 0


WINDOWS = """
  narrow: {endpoints: [{provider: one, model: narrow-up}], price: {input: 1, output: 10}, context_window: 8000}
  narrow_too: {endpoints: [{provider: two, model: narrow-too-up}], price: {input: 2, output: 20}, context_window: 8000}
  wide: {endpoints: [{provider: claude, model: wide-up}], price: {input: 3, output: 30}, context_window: 200000}
routes:
  growing: {candidates: [narrow, narrow_too, wide]}
  stuck: {candidates: [narrow, narrow_too]}
"""


def test_a_context_that_is_too_long_goes_to_a_larger_window_only(begin: Begin) -> None:
    head, _, tail = CONFIG.partition("routes:\n")
    config = head + WINDOWS.lstrip("\n") + tail
    too_long = openai_error(400, "This model's maximum context length is 8000 tokens", code="context_length_exceeded")
    world = begin(too_long, whole(message()), config=config)
    assert world.ask(chat("growing")).header("x-bascule-model") == "wide"
    assert hosts(world) == ["one.test", "claude.test"]
    stuck = begin(too_long, config=config)
    answer = stuck.ask(chat("stuck"))
    assert answer.status == 400
    assert answer.error["code"] == "context_length_exceeded"
    assert len(stuck.upstream.calls) == 1


BEFORE_CONTENT: list[tuple[Reply, ErrorClass, bool]] = [
    (stream(ROLE, in_band_error()), "server_error", True),
    (stream(in_band_error(type="overloaded_error")), "overloaded", False),
    (stream(ROLE, in_band_error(type="rate_limit_error")), "rate_limited", False),
    (stream(ROLE, Break("reset")), "reset", True),
    (stream(b": keep-alive\n\n", HANG_S), "timeout_idle", True),
    (stream(), "truncated", True),
    (stream(DONE), "truncated", True),
    (stream(ROLE), "truncated", True),
    (stream(b"data: {not json\n\n"), "protocol", True),
]


@pytest.mark.parametrize(("reply", "error_class", "billed"), BEFORE_CONTENT)
def test_a_stream_that_fails_before_content_fails_over_unseen(
    begin: Begin, reply: Reply, error_class: ErrorClass, billed: bool
) -> None:
    world = begin(reply, a_stream())
    answer = world.ask(streamed("auto"))
    assert answer.status == 200
    assert texts(answer.data) == "hello"
    assert answer.header("x-bascule-model") == "big"
    assert b"boom" not in answer.body
    failed, served = world.rows
    assert failed.error_class == error_class
    assert failed.cost_nanousd == (failed.hold_nanousd if billed else 0)
    assert (served.error_class, served.cost_nanousd) == (None, BIG)


def test_usage_of_a_failed_attempt_is_its_cost_at_its_own_price(begin: Begin) -> None:
    world = begin(stream(ROLE, used(100, 0), in_band_error()), a_stream())
    world.ask(streamed("auto"))
    failed, served = world.rows
    assert failed.cost_nanousd == 100 * 1_000
    assert failed.model == "small"
    assert served.cost_nanousd == BIG


AFTER_CONTENT: list[tuple[Reply, ErrorClass]] = [
    (stream(ROLE, text("hel"), in_band_error()), "server_error"),
    (stream(ROLE, text("hel"), Break("reset")), "reset"),
    (stream(ROLE, text("hel"), HANG_S), "timeout_idle"),
    (stream(ROLE, text("hel")), "truncated"),
    (stream(ROLE, text("hel"), text("lo")[:20]), "truncated"),
    (stream(ROLE, text("hel"), STOP), "truncated"),
    (stream(ROLE, text("hel"), b"data: {not json\n\n"), "protocol"),
]


@pytest.mark.parametrize(("reply", "error_class"), AFTER_CONTENT)
def test_after_content_there_is_an_error_event_no_failover_and_no_clean_end(
    begin: Begin, reply: Reply, error_class: ErrorClass
) -> None:
    world = begin(reply)
    answer = world.ask(streamed("auto"))
    assert answer.status == 200
    assert answer.ended
    assert texts(answer.data) == "hel"
    assert answer.data[-1]["error"]["code"] == "upstream_" + error_class
    assert b"[DONE]" not in answer.body
    assert hosts(world) == ["one.test"]
    row = world.row
    assert (row.error_class, row.usage_source, row.status) == (error_class, "estimated", 200)
    if error_class == "protocol":  # what was behind it is not known
        assert (row.cost_nanousd, row.tokens_out) == (row.hold_nanousd, None)
    else:
        assert row.cost_nanousd is not None
        assert row.tokens_out is not None
        assert row.tokens_out >= 1


def test_five_failures_in_a_row_close_an_endpoint_for_a_while(begin: Begin) -> None:
    world = begin()
    world.upstream.at = {"one.test": [openai_error(500)] * 5, "two.test": [answered() for _ in range(6)]}
    for _ in range(6):
        assert world.ask(chat("auto")).status == 200
    assert hosts(world).count("one.test") == 5
    assert hosts(world)[-2:] == ["two.test", "two.test"]
    world.clock.advance(11)
    world.upstream.at = {"one.test": [answered()]}
    assert world.ask(chat("auto")).header("x-bascule-model") == "small"


def test_clients_mistakes_never_close_it_for_others(begin: Begin) -> None:
    world = begin(*[openai_error(400) for _ in range(10)], answered())
    for _ in range(10):
        assert world.ask(chat("auto")).status == 400
    assert world.ask(chat("auto"), key=OTHER).header("x-bascule-model") == "small"


@pytest.mark.parametrize("stream_it", [False, True])
def test_a_deadline_ends_what_is_running(begin: Begin, stream_it: bool) -> None:
    world = begin(Reply(before=[HANG_S]))
    before_s = world.clock.monotonic_s()
    answer = world.ask(chat("auto", stream=stream_it), headers={"x-bascule-deadline": "3s"})
    assert answer.status == 504
    assert answer.error["code"] == "deadline_exceeded"
    assert 3.0 <= world.clock.monotonic_s() - before_s < 3.1
    assert hosts(world) == ["one.test"]


def test_nobody_is_asked_again_for_a_client_that_has_left(begin: Begin) -> None:
    """It leaves before the first content, and the stream then fails: a second answer would be bought for nobody."""
    world = begin()
    exchange = world.exchange(streamed("auto"))
    world.upstream.replies = [stream(ROLE, exchange.leave, 5.0, Break("reset"))]
    world.handle(exchange)
    assert hosts(world) == ["one.test"]
    assert world.row.cost_nanousd == world.row.hold_nanousd


def test_a_connection_that_was_never_made_is_no_attempt_to_bill_but_a_row(begin: Begin) -> None:
    world = begin(*[broken("connect", request_sent=False)] * 3)
    answer = world.ask(chat())
    assert answer.status == 502
    assert [(row.error_class, row.cost_nanousd, row.attempt_no) for row in world.rows] == [
        ("connect", 0, 1),
        ("connect", 0, 2),
        ("connect", 0, 3),
    ]


def test_the_decision_record_and_the_rows_share_their_request(begin: Begin) -> None:
    world = begin(openai_error(500), answered())
    answer = world.ask(chat("auto"))
    decision = world.decision(answer)
    assert [candidate["model"] for candidate in decision.candidates] == ["small", "big"]
    assert {row.decision_id for row in world.rows} == {decision.decision_id}
    assert {row.route for row in world.rows} == {"auto"}
