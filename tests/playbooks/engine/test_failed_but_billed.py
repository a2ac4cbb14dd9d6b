"""Errors whose body tells what was used for them: billed like any other use, and never twice."""

from typing import Any

import pytest
from tests.playbooks.engine.conftest import Begin, strict
from tests.playbooks.engine.wire import DONE, answered, chat, message, messages, sse, streamed, usage

from bascule.testing.transport import stream, whole

ERROR = {"message": "it broke half way", "type": "server_error", "code": None, "param": None}
COST = 10 * 1_000 + 5 * 10_000
"""Of 10 tokens in and 5 out at `small`."""


@pytest.mark.parametrize("status", [400, 429, 500, 503])
@pytest.mark.parametrize("inside", [False, True])
def test_an_error_status_costs_what_its_body_reports(begin: Begin, status: int, inside: bool) -> None:
    told: dict[str, Any] = {"usage": usage(10, 5)}
    body = {"error": {**ERROR, **told}} if inside else {"error": ERROR, **told}
    world = begin(*[whole(body, status=status)] * 3, more=strict("1"))
    world.ask(chat())
    assert len(world.rows) == len(world.upstream.calls)
    for row in world.rows:
        assert (row.status, row.usage_source, row.cost_nanousd) == (status, "reported", COST)
    assert world.budget("key:ci").settled_nanousd == COST * len(world.rows)


def test_an_error_without_usage_costs_nothing(begin: Begin) -> None:
    world = begin(*[whole({"error": ERROR}, status=400)] * 3, more=strict("1"))
    world.ask(chat())
    assert (world.row.usage_source, world.row.cost_nanousd) == ("none", 0)
    assert world.budget("key:ci").settled_nanousd == 0


def test_half_a_report_is_a_floor_and_gives_nothing_back_to_a_strict_budget(begin: Begin) -> None:
    world = begin(whole({"error": ERROR, "usage": {"prompt_tokens": 10}}, status=400), more=strict("1"))
    world.ask(chat())
    assert world.row.usage_source == "estimated"
    assert world.row.cost_nanousd >= 10 * 1_000
    assert world.budget("key:ci").settled_nanousd == world.row.hold_nanousd


def test_the_answer_of_another_provider_is_billed_beside_it(begin: Begin) -> None:
    world = begin(whole({"error": ERROR, "usage": usage(10, 5)}, status=400), answered(), more=strict("1"))
    world.ask(chat("auto"))
    assert world.rows[0].cost_nanousd == COST
    assert world.budget("key:ci").settled_nanousd == sum(row.cost_nanousd or 0 for row in world.rows)


@pytest.mark.parametrize("tokens_out", [0, 5])
def test_an_error_in_a_200_costs_no_less_than_it_reports(begin: Begin, tokens_out: int) -> None:
    """More may have been generated and billed, so a strict budget gets nothing back."""
    world = begin(*[whole({"error": ERROR, "usage": usage(10, tokens_out)})] * 3, more=strict("1"))
    world.ask(chat())
    for row in world.rows:
        assert (row.usage_source, row.cost_nanousd) == ("estimated", 10_000 + tokens_out * 10_000)
    assert world.budget("key:ci").settled_nanousd == sum(each.hold_nanousd or 0 for each in world.rows)


def test_an_error_in_a_stream_costs_no_less_than_it_reports(begin: Begin) -> None:
    world = begin(*[stream(sse({"error": ERROR, "usage": usage(10, 5)}), DONE)] * 3, more=strict("1"))
    world.ask(streamed())
    assert all((row.cost_nanousd or 0) >= COST for row in world.rows)
    assert world.budget("key:ci").settled_nanousd >= COST * len(world.rows)


def test_anthropics_errors_are_read_in_their_own_words(begin: Begin) -> None:
    error = {"type": "error", "error": {"type": "api_error", "message": "it broke"}}
    body = {**error, "usage": {"input_tokens": 10, "output_tokens": 5}}
    world = begin(*[whole(body, status=500)] * 2, whole(message()), more=strict("1"))
    world.ask(messages(), surface="anthropic_messages")
    assert world.rows[0].cost_nanousd == 10 * 5_000 + 5 * 25_000
