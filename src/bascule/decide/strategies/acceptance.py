"""Whether a cheap answer is good enough to go to the client, as far as it shows by itself.

A test says yes, no, or that it cannot tell; in doubt the dearer model answers, so that only yes is yes.
"""

import re
from collections.abc import Callable, Sequence
from math import exp
from typing import Any

import orjson
from msgspec import Struct, structs

from bascule.decide.grade import Regex, Schema, prepare
from bascule.decide.json_schema import GraderError
from bascule.decide.output_contract import prepare_output_contract
from bascule.decide.schema_work import of_a_client
from bascule.model.errors import Refusal
from bascule.model.request import Tool, ToolUse
from bascule.model.strategy import Acceptance

OF_THE_REQUEST = "request"
MAX_REASON_CHARS = 160
_WORD = re.compile(r"[a-z0-9_]{1,48}")


class Checked(Struct, frozen=True):
    """What one test says of one answer."""

    test: str
    passed: bool | None
    """None: it cannot tell."""
    detail: str = ""


class Look(Struct, frozen=True, kw_only=True):
    """An answer as the tests see it."""

    text: str
    finish_reason: str | None
    tool_calls: tuple[ToolUse, ...] = ()
    tools: tuple[Tool, ...] = ()
    """Those that the request offers."""
    schema: dict[str, Any] | None = None
    """The one that the request asks for."""
    asked: str = ""
    """The conversation as text, where a contract takes it for a source."""
    logprobs: tuple[float, ...] | None = None
    """Natural logarithms of the probabilities of its tokens, where the provider told them."""


Test = Callable[[Look], Checked]


class OwnTests:
    """The tests of a policy that need nothing but the answer. Made once per configuration."""

    def __init__(self, policy: Acceptance) -> None:
        """Raises GraderError where a pattern or a schema is wrong, which a configuration's check has said before."""
        self._policy = policy
        self._regex = None if policy.regex is None else prepare(Regex(pattern=policy.regex))
        fixed = policy.schema if policy.schema not in (None, OF_THE_REQUEST) else None
        self._schema = None if fixed is None else prepare(Schema(schema=orjson.loads(fixed)))

    def look(self, seen: Look) -> list[Checked]:
        """What each says, up to the first that does not accept."""
        found: list[Checked] = []
        for test in self._tests(seen):
            found.append(test(seen))
            if not found[-1].passed:
                break
        return found

    def decides_alone(self, seen: Look) -> bool:
        """An answer that calls tools is accepted or not by its calls: there is no text to judge."""
        return bool(seen.tool_calls)

    def _tests(self, seen: Look) -> Sequence[Test]:
        if seen.tool_calls:
            return (self._calls,)
        tests: list[Test] = [ended]
        if self._policy.schema is not None:
            tests.append(self._fits)
        if self._regex is not None:
            tests.append(self._matches)
        if self._policy.output_contract is not None:
            tests.append(self._kept)
        if self._policy.logprob is not None:
            tests.append(self._likely)
        return tests

    def _calls(self, seen: Look) -> Checked:
        if self._policy.tool_calls == "escalate":
            return Checked("tool_calls", None, "it calls tools, of which no test can tell anything")
        return well_formed(seen)

    def _fits(self, seen: Look) -> Checked:
        graded = self._schema
        if graded is None:
            if seen.schema is None:
                return Checked("schema", None, "the request asks for no schema")
            try:
                score = of_a_client(seen.schema)(seen.text)
            except GraderError as error:
                return Checked("schema", None, str(error))
        else:
            score = graded(seen.text)
        return Checked("schema", score.passed, score.reason)

    def _matches(self, seen: Look) -> Checked:
        assert self._regex is not None  # it is only asked where there is one
        score = self._regex(seen.text)
        return Checked("regex", score.passed, score.reason)

    def _kept(self, seen: Look) -> Checked:
        contract = self._policy.output_contract
        assert contract is not None  # as above
        if contract.from_request:
            contract = structs.replace(contract, sources=(*contract.sources, seen.asked))
        score = prepare_output_contract(contract)(seen.text)
        return Checked("output_contract", score.passed, score.reason)

    def _likely(self, seen: Look) -> Checked:
        least = self._policy.logprob
        assert least is not None  # as above
        if not seen.logprobs:
            return Checked("logprob", None, "its provider tells no probabilities")
        mean = exp(sum(seen.logprobs) / len(seen.logprobs))
        return Checked("logprob", mean >= least, f"{mean:.3f}, at least {least:g}")


def ended(seen: Look) -> Checked:
    """An answer that was cut at its cap, filtered or empty is none, whatever else it passes."""
    if seen.finish_reason != "stop":
        return Checked("whole", False, f"it ended with {seen.finish_reason or 'no reason'}")
    return Checked("whole", bool(seen.text.strip()), "" if seen.text.strip() else "it is empty")


def well_formed(seen: Look) -> Checked:
    """Every call is of a tool that was offered, with arguments that are a JSON object."""
    offered = {tool.name for tool in seen.tools}
    for call in seen.tool_calls:
        if call.name not in offered:
            return Checked("tool_calls", False, "it calls a tool that was not offered")
        if call.kind != "function":
            continue
        try:
            given = orjson.loads(call.arguments or "{}")
        except ValueError:
            return Checked("tool_calls", False, "the arguments of a call are not JSON")
        if not isinstance(given, dict):
            return Checked("tool_calls", False, "the arguments of a call are no object")
    return Checked("tool_calls", True)


class Accepted(Struct, frozen=True):
    """All tests together."""

    accepted: bool
    reason: str
    """In few words, in ASCII, without anything of the answer: it travels in a header and stands in rows."""


def verdict(tested: Sequence[Checked]) -> Accepted:
    """Accepted where every test says yes; no test at all accepts nothing."""
    for one in tested:
        if not one.passed:
            return Accepted(False, f"{one.test} {'unknown' if one.passed is None else 'not met'}")
    names = [one.test for one in tested if one.test != "whole"] or [one.test for one in tested]
    return Accepted(bool(tested), ", ".join(names)[:MAX_REASON_CHARS])


def failure(refusal: Refusal) -> str:
    """Why a call failed, in a word for headers and rows. Codes are providers' own words: one that is no plain word is
    not passed on."""
    return refusal.code if refusal.code is not None and _WORD.fullmatch(refusal.code) else refusal.kind
