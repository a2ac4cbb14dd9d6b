"""Tests of an answer, as tables: what passes, what does not, and what cannot be told."""

from math import log

import pytest

from bascule.decide.strategies.acceptance import Checked, Look, OwnTests, failure, verdict
from bascule.model.errors import Refusal
from bascule.model.output_contract import OutputContract
from bascule.model.request import Tool, ToolUse
from bascule.model.strategy import Acceptance

NUMBER = '{"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}'
KEEPING = Acceptance(output_contract=OutputContract(sources=("42",), forbidden=("guaranteed",), max_words=9))
FROM_REQUEST = Acceptance(output_contract=OutputContract(from_request=True))
OFFERED = (Tool(name="look"),)


def seen(text: str = "yes", finish: str | None = "stop", **more: object) -> Look:
    return Look(text=text, finish_reason=finish, **more)  # type: ignore[arg-type]


def call(arguments: str, name: str = "look", **more: object) -> ToolUse:
    return ToolUse(id="c", name=name, arguments=arguments, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("policy", "look", "accepted", "reason"),
    [
        (Acceptance(), seen(), True, "whole"),
        (Acceptance(), seen("  "), False, "whole not met"),
        (Acceptance(), seen(finish="length"), False, "whole not met"),
        (Acceptance(), seen(finish="content_filter"), False, "whole not met"),
        (Acceptance(), seen(finish=None), False, "whole not met"),
        (Acceptance(regex="^y"), seen(), True, "regex"),
        (Acceptance(regex="^n"), seen(), False, "regex not met"),
        (Acceptance(schema=NUMBER), seen('{"n": 1}'), True, "schema"),
        (Acceptance(schema=NUMBER), seen('```json\n{"n": 1}\n```'), True, "schema"),
        (Acceptance(schema=NUMBER), seen('{"n": "1"}'), False, "schema not met"),
        (Acceptance(schema=NUMBER), seen("one"), False, "schema not met"),
        (Acceptance(schema="request"), seen("[]", schema={"type": "array"}), True, "schema"),
        (Acceptance(schema="request"), seen("{}", schema={"type": "array"}), False, "schema not met"),
        (Acceptance(schema="request"), seen("{}"), False, "schema unknown"),
        (Acceptance(schema="request"), seen("{}", schema={"type": "nonsense"}), False, "schema unknown"),
        (KEEPING, seen("It is 42, no more."), True, "output_contract"),
        (KEEPING, seen("It is 43."), False, "output_contract not met"),
        (KEEPING, seen("It is 42, guaranteed."), False, "output_contract not met"),
        (FROM_REQUEST, seen("It is 43.", asked="user: Add 40 to 3, that is 43"), True, "output_contract"),
        (FROM_REQUEST, seen("It is 44.", asked="user: Add 40 to 3, that is 43"), False, "output_contract not met"),
        (Acceptance(logprob=0.5), seen(logprobs=(log(0.9), log(0.4))), True, "logprob"),
        (Acceptance(logprob=0.7), seen(logprobs=(log(0.9), log(0.4))), False, "logprob not met"),
        (Acceptance(logprob=0.5), seen(), False, "logprob unknown"),
        (Acceptance(logprob=0.5), seen(logprobs=()), False, "logprob unknown"),
        (Acceptance(regex="y", schema=NUMBER), seen(), False, "schema not met"),
        (Acceptance(regex="n", schema=NUMBER), seen('{"n": 1}'), True, "schema, regex"),
    ],
)
def test_what_is_accepted(policy: Acceptance, look: Look, accepted: bool, reason: str) -> None:
    found = verdict(OwnTests(policy).look(look))
    assert (found.accepted, found.reason) == (accepted, reason)


@pytest.mark.parametrize(
    ("calls", "accepted"),
    [
        ((call('{"at": 1}'),), True),
        ((call(""),), True),
        ((call('{"at": 1}'), call("{}")), True),
        ((call('{"at'),), False),
        ((call("[1]"),), False),
        ((call("{}", name="other"),), False),
        ((call("{}"), call("{")), False),
        ((call("free text", kind="custom"),), True),
    ],
)
def test_calls_of_tools_are_well_formed_or_not(calls: tuple[ToolUse, ...], accepted: bool) -> None:
    look = seen("", "tool_use", tool_calls=calls, tools=OFFERED)
    assert verdict(OwnTests(Acceptance(regex="^y", tool_calls="accept")).look(look)).accepted is accepted
    assert not verdict(OwnTests(Acceptance(regex="^y")).look(look)).accepted


def test_no_test_accepts_nothing() -> None:
    assert not verdict([]).accepted
    assert not verdict([Checked("a", True), Checked("b", None)]).accepted


def test_tests_that_come_later_are_not_made_once_one_has_failed() -> None:
    tests = OwnTests(Acceptance(schema=NUMBER, regex="x", logprob=0.5))
    assert [one.test for one in tests.look(seen("no"))] == ["whole", "schema"]


def test_reasons_travel_in_headers_and_hold_nothing_of_the_answer() -> None:
    found = verdict(OwnTests(Acceptance(regex="^é")).look(seen("sécret")))
    assert found.reason.isascii()
    assert "cret" not in found.reason


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("context_length_exceeded", "context_length_exceeded"),
        (None, "upstream_failed"),
        ("Say: hello\r\nx-evil: 1", "upstream_failed"),
        ("a" * 49, "upstream_failed"),
        ("", "upstream_failed"),
    ],
)
def test_a_providers_own_words_are_passed_on_if_they_are_a_word(code: str | None, told: str) -> None:
    assert failure(Refusal(kind="upstream_failed", message="m", code=code)) == told
