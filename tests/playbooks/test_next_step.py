"""Playbooks: what has happened to a request, and what is to happen next."""

from math import inf
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from bascule.decide.attempt import (
    Accept,
    AttemptLimits,
    GiveUp,
    Start,
    Step,
    Wait,
    next_step,
)
from bascule.decide.behaviour import BEHAVIOUR
from bascule.decide.giving_up import OURS
from bascule.model.catalog import Endpoint
from bascule.model.errors import Refusal
from bascule.model.outcome import AttemptRecord, ErrorClass, Fault
from bascule.model.plan import Candidate, Plan

LIMITS = AttemptLimits()


def plan_of(
    *ids: str, route: str | None = None, windows: dict[str, int] | None = None, credentials: int = 1, **more: Any
) -> Plan:
    return Plan(
        route=route,
        **more,
        candidates=tuple(
            Candidate(
                model=at.partition("/")[2],
                reason="test",
                endpoint=Endpoint(
                    id=at,
                    provider=at.partition("/")[0],
                    dialect="openai_chat",
                    upstream_model="m",
                    credentials=credentials,
                    context_window=(windows or {}).get(at),
                ),
            )
            for at in ids
        ),
    )


ONE = plan_of("a/m")
THREE = plan_of("a/m", "a/n", "b/m")


def failed(candidate: int, error_class: ErrorClass, *, at: float = 1.0, forwarded: bool = False, **fault: Any) -> Any:
    """One line of a history, but for its number."""
    return candidate, at, Fault(error_class=error_class, message=f"words of {error_class}", **fault), forwarded


def with_credential(line: Any, credential: int) -> Any:
    return *line, credential


def history(*lines: Any) -> list[AttemptRecord]:
    return [
        AttemptRecord(
            attempt_no=number,
            candidate=candidate,
            started_s=at - 1,
            ended_s=at,
            fault=fault,
            content_forwarded=forwarded,
            credential=credential[0] if credential else 0,
        )
        for number, (candidate, at, fault, forwarded, *credential) in enumerate(lines, 1)
    ]


def step(
    plan: Plan, *lines: Any, now_s: float = 1.0, dice: float = 0.0, limits: AttemptLimits = LIMITS, **seen: Any
) -> Step:
    return next_step(plan, history(*lines), now_s=now_s, dice=dice, limits=limits, **seen)


def given_up(plan: Plan, *lines: Any, now_s: float = 1.0, limits: AttemptLimits = LIMITS) -> Refusal:
    found = step(plan, *lines, now_s=now_s, limits=limits)
    assert isinstance(found, GiveUp), found
    return found.refusal


def test_who_is_open_is_passed_over_and_nobody_left_is_a_503() -> None:
    assert step(THREE, health={"a/m": "open"}) == Start(1)
    assert step(THREE, health={"a": "open"}) == Start(2)
    assert step(THREE, health={"a": "half_open"}) == Start(0)
    assert step(THREE, failed(0, "reset"), health={"a/n": "open"}) == Start(2)
    found = step(THREE, health={"a": "open", "b/m": "open"})
    assert isinstance(found, GiveUp)
    assert (found.refusal.http_status, found.refusal.code, found.refusal.spent) == (503, "circuit_open", False)
    # open after its own failure: not waited for
    assert isinstance(step(ONE, failed(0, "server_error"), health={"a/m": "open"}), GiveUp)


def test_credentials_take_turns_and_one_that_is_open_is_left_out() -> None:
    plan = plan_of("a/m", "b/m", credentials=3)
    assert [step(plan, turn=turn) for turn in range(4)] == [Start(0, 0), Start(0, 1), Start(0, 2), Start(0, 0)]
    assert step(plan, turn=1, health={"a#2": "open"}) == Start(0, 2)
    assert step(plan, turn=1, health={"a/m#2": "cooling"}) == Start(0, 2)
    assert step(plan, health={"a#1": "open", "a#2": "open", "a/m#3": "open"}) == Start(1, 0)


@pytest.mark.parametrize("error_class", ["auth", "quota_exhausted", "rate_limited"])
def test_a_failure_of_a_credential_is_followed_by_another_of_the_same_provider_at_once(error_class: ErrorClass) -> None:
    plan = plan_of("a/m", "b/m", credentials=2)
    first = with_credential(failed(0, error_class, retry_after_s=7.0), 1)
    assert step(plan, first, turn=1) == Start(0, 0)
    second = with_credential(failed(0, error_class), 0)
    assert step(plan, first, second, turn=1) == Start(1, 1)
    assert step(plan, first, turn=1, spent=frozenset({"a/m"})) == Start(1, 1)
    if error_class == "rate_limited":
        return
    alone = plan_of("a/m", credentials=2)
    assert isinstance(step(alone, first, second, turn=1, now_s=100.0), GiveUp)


def test_a_refusal_of_content_goes_on_only_where_the_plan_says_so() -> None:
    filtered = failed(0, "content_filter", status=400)
    assert isinstance(step(THREE, filtered), GiveUp)
    plan = plan_of("a/m", "b/m", filtered_elsewhere=True)
    assert step(plan, filtered) == Start(1)
    refusal = given_up(plan, filtered, failed(1, "server_error"), limits=AttemptLimits(max_attempts=2))
    assert (refusal.http_status, refusal.message) == (400, "words of content_filter")


HEDGED = AttemptLimits(hedge_after_s=2.0)
SILENT = AttemptRecord(attempt_no=1, candidate=0, started_s=1.0)


def beside(plan: Plan, *records: AttemptRecord, now_s: float, limits: AttemptLimits = HEDGED, **seen: Any) -> Step:
    return next_step(plan, records, now_s=now_s, dice=0.0, limits=limits, **seen)


def test_a_second_candidate_is_asked_beside_a_silent_first_once() -> None:
    assert beside(THREE, SILENT, now_s=1.5) == Wait(3.0)
    assert beside(THREE, SILENT, now_s=3.0) == Start(1, hedge=True)
    hedge = AttemptRecord(attempt_no=2, candidate=1, started_s=3.0, hedge=True)
    assert beside(THREE, SILENT, hedge, now_s=50.0) == Wait(inf)
    failed_first = AttemptRecord(
        attempt_no=1, candidate=0, started_s=1.0, ended_s=4.0, fault=Fault(error_class="reset", message="")
    )
    assert beside(THREE, failed_first, hedge, now_s=4.0) == Wait(inf)
    assert beside(THREE, SILENT, structs.replace(hedge, ended_s=5.0), now_s=5.0) == Accept(2)


def test_no_hedge_without_a_candidate_or_silence() -> None:
    assert beside(ONE, SILENT, now_s=9.0) == Wait(inf)
    assert beside(THREE, structs.replace(SILENT, content_forwarded=True), now_s=9.0) == Wait(inf)
    assert beside(THREE, SILENT, now_s=9.0, health={"a/n": "open"}) == Start(2, hedge=True)
    assert beside(THREE, SILENT, now_s=9.0, health={"a/n": "open", "b": "open"}) == Wait(inf)
    assert beside(THREE, SILENT, now_s=1.5, limits=AttemptLimits(hedge_after_s=2.0, deadline_s=3.0)) == Wait(inf)
    assert beside(THREE, SILENT, now_s=9.0, limits=AttemptLimits(hedge_after_s=2.0, max_attempts=1)) == Wait(inf)
    assert beside(THREE, SILENT, now_s=9.0, limits=LIMITS) == Wait(inf)


def test_what_is_over_here_is_over_for_the_client_too() -> None:
    assert given_up(ONE, failed(0, "protocol")).spent
    # a gateway that does not try again leaves it to the client
    assert not given_up(ONE, failed(0, "server_error"), limits=AttemptLimits(max_attempts=1)).spent
    assert given_up(THREE, failed(0, "bad_request", status=409)).spent
    assert not given_up(ONE, failed(0, "rate_limited", retry_after_s=86_000.0, status=429)).spent


def test_an_absurd_pause_is_neither_believed_nor_quoted() -> None:
    refusal = given_up(ONE, failed(0, "rate_limited", retry_after_s=1e12, status=429))
    assert (refusal.http_status, refusal.retry_after_s) == (429, LIMITS.advised_retry_after_s)


def test_every_error_class_has_a_behaviour() -> None:
    assert set(BEHAVIOUR) == set(get_args(ErrorClass))


def test_first_the_first_and_an_answer_is_the_end() -> None:
    assert step(THREE) == Start(0)
    answered = (1, 2.0, None, True)
    assert step(THREE, failed(0, "reset"), answered) == Accept(2)


def test_an_attempt_in_flight_is_waited_for() -> None:
    running = AttemptRecord(attempt_no=1, candidate=0, started_s=0.0)
    assert next_step(THREE, [running], now_s=5.0, dice=0.0, limits=LIMITS) == Wait(inf)


PASSING: list[ErrorClass] = [
    "rate_limited", "overloaded", "server_error", "timeout_connect", "timeout_first_byte", "timeout_idle", "connect",
    "reset", "truncated",
]  # fmt: skip


@pytest.mark.parametrize("error_class", PASSING)
def test_what_passes_goes_to_the_next_candidate_at_once_and_to_the_same_after_a_pause(error_class: ErrorClass) -> None:
    assert step(THREE, failed(0, error_class, maybe_billed=True)) == Start(1)
    found = step(ONE, failed(0, error_class))
    assert isinstance(found, Wait)
    assert 1.25 <= found.until_s <= 1.5
    assert step(ONE, failed(0, error_class), now_s=found.until_s) == Start(0)


@pytest.mark.parametrize("error_class", ["timeout_total", "protocol", "not_found", "unsupported"])
def test_never_again_at_this_endpoint(error_class: ErrorClass) -> None:
    assert step(THREE, failed(0, error_class)) == Start(1)
    assert isinstance(step(ONE, failed(0, error_class)), GiveUp)


@pytest.mark.parametrize("error_class", ["auth", "quota_exhausted"])
def test_never_again_at_this_provider(error_class: ErrorClass) -> None:
    assert step(THREE, failed(0, error_class)) == Start(2)
    assert isinstance(step(plan_of("a/m", "a/n"), failed(0, error_class)), GiveUp)


@pytest.mark.parametrize("error_class", ["bad_request", "content_filter", "too_large", "client_gone", "cancelled"])
def test_the_end_whatever_else_there_is(error_class: ErrorClass) -> None:
    assert isinstance(step(THREE, failed(0, error_class)), GiveUp)


@pytest.mark.parametrize("error_class", get_args(ErrorClass))
def test_nothing_follows_forwarded_content(error_class: ErrorClass) -> None:
    assert isinstance(step(THREE, failed(0, error_class, forwarded=True)), GiveUp)


def test_a_context_that_is_too_long_goes_only_to_a_larger_window() -> None:
    windows = {"a/m": 8, "b/m": 8, "c/m": 32, "e/m": 16}
    plan = plan_of("a/m", "b/m", "c/m", "d/m", "e/m", windows=windows)
    too_long = [failed(0, "context_length", status=400)]
    assert step(plan, *too_long) == Start(2)
    refusal = given_up(plan, *too_long, failed(2, "context_length", status=400))
    assert (refusal.http_status, refusal.code) == (400, "context_length_exceeded")
    assert isinstance(step(plan_of("a/m", "b/m"), *too_long), GiveUp)


def test_retry_after_is_honoured_capped_and_second_to_another_candidate() -> None:
    limited = failed(0, "rate_limited", retry_after_s=7.0, status=429)
    assert step(ONE, limited) == Wait(8.0)
    assert step(ONE, limited, now_s=8.0) == Start(0)
    assert step(plan_of("a/m", "b/m"), limited) == Start(1)
    forever = failed(0, "rate_limited", retry_after_s=86_400.0, status=429)
    refusal = given_up(ONE, forever, now_s=2.0)
    assert refusal.http_status == 429
    assert refusal.retry_after_s == 86_399.0
    other = failed(1, "rate_limited", at=2.0, retry_after_s=3.0)
    assert step(plan_of("a/m", "b/m"), forever, other, now_s=2.0) == Wait(5.0)


def test_a_second_round_starts_with_the_candidate_that_is_ready_first() -> None:
    plan = plan_of("a/m", "b/m")
    lines = [failed(0, "server_error", at=1.0), failed(1, "server_error", at=1.1)]
    found = step(plan, *lines, now_s=1.1)
    assert isinstance(found, Wait)
    assert step(plan, *lines, now_s=found.until_s) == Start(0)
    other = step(plan, *lines, now_s=1.1, spent=frozenset({"a/m"}))
    assert isinstance(other, Wait)
    assert step(plan, *lines, now_s=other.until_s, spent=frozenset({"a/m"})) == Start(1)
    assert isinstance(step(plan, *lines, spent=frozenset({"a/m", "b/m"})), GiveUp)


def test_pauses_grow_are_capped_and_differ_by_dice() -> None:
    limits = AttemptLimits(max_attempts=20, backoff_base_s=1.0, backoff_cap_s=4.0)
    pauses = []
    lines: list[Any] = []
    for _ in range(5):
        lines.append(failed(0, "server_error", at=0.0))
        found = step(ONE, *lines, now_s=0.0, limits=limits)
        assert isinstance(found, Wait)
        pauses.append(found.until_s)
    assert all(half <= pause <= 2 * half for pause, half in zip(pauses, [0.5, 1, 2, 2, 2], strict=True))
    assert step(ONE, failed(0, "reset"), dice=0.1) != step(ONE, failed(0, "reset"), dice=0.3)


def test_attempts_and_time_are_limited() -> None:
    two = AttemptLimits(max_attempts=2)
    assert isinstance(step(THREE, failed(0, "reset"), failed(1, "reset"), limits=two), GiveUp)
    until = AttemptLimits(deadline_s=1.2)
    assert step(THREE, failed(0, "reset"), limits=until) == Start(1)
    # the pause would end after the deadline: not waited for in vain
    assert given_up(ONE, failed(0, "reset"), limits=until).http_status == 502
    late = given_up(THREE, failed(0, "reset"), now_s=1.2, limits=until)
    assert (late.http_status, late.code) == (504, "deadline_exceeded")
    assert given_up(THREE, now_s=1.2, limits=until).http_status == 504


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([failed(0, "server_error", status=500)], 502),
        ([failed(0, "connect")], 502),
        ([failed(0, "truncated")], 502),
        ([failed(0, "timeout_first_byte")], 504),
        ([failed(0, "timeout_total")], 504),
        ([failed(0, "overloaded", status=529)], 503),
        ([failed(0, "rate_limited", status=429)], 429),
        ([failed(0, "rate_limited", status=429), failed(1, "overloaded", status=529)], 503),
        ([failed(0, "overloaded", status=529), failed(1, "rate_limited", status=429)], 503),
        ([failed(0, "server_error", status=500), failed(1, "rate_limited", status=429)], 503),
        ([failed(0, "auth", status=401)], 502),
        ([failed(0, "quota_exhausted", status=429)], 502),
        ([failed(0, "bad_request", status=422)], 422),
        ([failed(0, "bad_request", status=401)], 400),
        ([failed(0, "bad_request", status=None)], 400),
        ([failed(0, "content_filter", status=403)], 403),
        ([failed(0, "too_large", status=413)], 413),
        ([failed(0, "too_large", status=200)], 502),
        ([failed(0, "not_found", status=404)], 404),
        ([failed(0, "unsupported")], 400),
        ([failed(0, "cancelled")], 503),
        ([failed(0, "client_gone")], 499),
        # what may pass outranks what does not: trying later can help
        ([failed(0, "server_error", status=500), failed(1, "context_length", status=400)], 502),
        ([failed(0, "timeout_idle"), failed(1, "auth", status=401)], 504),
    ],
)
def test_what_the_client_is_told(lines: list[Any], status: int) -> None:
    plan = plan_of("a/m", "b/m")
    limits = AttemptLimits(max_attempts=len(lines))
    refusal = given_up(plan, *lines, limits=limits)
    assert refusal.http_status == status
    told = any(line[2].error_class not in OURS for line in lines)
    assert ("words of" in refusal.message) == told
    assert (refusal.retry_after_s is not None) == (status in (429, 503) and lines[-1][2].error_class != "cancelled")


def test_a_missing_model_behind_a_route_is_not_the_clients_404() -> None:
    assert given_up(plan_of("a/m", route="auto"), failed(0, "not_found", status=404)).http_status == 502


def test_the_clients_own_mistake_comes_in_the_providers_words() -> None:
    refusal = given_up(THREE, failed(0, "bad_request", status=400, code="invalid_image", param="messages[0]"))
    assert (refusal.message, refusal.code, refusal.param) == ("words of bad_request", "invalid_image", "messages[0]")


def test_failures_are_told_by_endpoint_in_order() -> None:
    limits = AttemptLimits(max_attempts=2)
    refusal = given_up(THREE, failed(0, "server_error", status=500), failed(2, "reset"), limits=limits)
    assert refusal.message.startswith("2 attempts failed. a/m 500 server_error: words of server_error; b/m reset")


classes = st.sampled_from(get_args(ErrorClass))


@given(
    st.lists(st.tuples(classes, st.none() | st.floats(0, 100)), max_size=8),
    st.integers(1, 5),
    st.floats(0, 0.999),
    st.integers(1, 6),
)
def test_any_run_of_failures_ends_within_its_limits(
    faults: list[tuple[ErrorClass, float | None]], candidates: int, dice: float, max_attempts: int
) -> None:
    """Drive the loop as the engine does: it always ends, never exceeds its attempts, never sleeps past the cap."""
    plan = plan_of(*[f"p{number}/m" for number in range(candidates)])
    limits = AttemptLimits(max_attempts=max_attempts)
    now_s, told = 0.0, list(faults)
    lines: list[Any] = []
    while True:
        found = step(plan, *lines, now_s=now_s, dice=dice, limits=limits)
        if isinstance(found, Wait):
            assert now_s < found.until_s <= now_s + limits.retry_after_cap_s
            now_s = found.until_s
            found = step(plan, *lines, now_s=now_s, dice=dice, limits=limits)
            assert isinstance(found, Start)
        if not isinstance(found, Start):
            break
        error_class, retry_after_s = told.pop(0) if told else ("server_error", None)
        lines.append(failed(found.candidate, error_class, at=now_s, retry_after_s=retry_after_s))
        assert len(lines) <= max_attempts
    assert isinstance(found, GiveUp)
    stops = [BEHAVIOUR[fault.error_class].next == "stop" for _, _, fault, _ in lines]
    assert not any(stops[:-1])
