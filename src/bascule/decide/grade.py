"""Graders that need no model: what an answer is worth, between 0 and 1, and why. Pure.

A grader is a value, so that a suite, a route and a recording say it in the same words; `prepare` makes a function of
it, once. Answers are written by strangers: each grader takes time in proportion to the answer and never raises over
one.
"""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from msgspec import Struct

from bascule.decide.cel_runtime import cel_runtime
from bascule.decide.json_schema import GraderError, SchemaCheck, json_in

MAX_ANSWER_CHARS = 1_000_000
"""A longer answer is graded 0: no grader here is for books."""
MAX_SHOWN = 80
_NUMBER = re.compile(r"(?<![\w.,])[-+]?(?:\d{1,3}(?:,\d{3})+|\d{1,30})(?:\.\d{1,30})?(?:[eE][-+]?\d{1,2})?(?![.,]?\d)")
_EDGE = " \t\r\n.,;:!?\"'`*_()[]{}"


class Score(Struct, frozen=True):
    """What an answer is worth."""

    value: float
    """From 0 (wrong) to 1 (right)."""
    reason: str
    """For a person, in one line; may quote the answer."""

    @property
    def passed(self) -> bool:
        return self.value >= 1.0


class Exact(Struct, frozen=True, kw_only=True, tag="exact"):
    """The answer is one of `expected`, but for white space around it and, unless told otherwise, case, runs of white
    space inside, and punctuation at its two ends."""

    expected: tuple[str, ...]
    literal: bool = False
    """Compare character by character; only white space around the answer does not count."""


class Contains(Struct, frozen=True, kw_only=True, tag="contains"):
    """The answer has these words in it. With `all` each is worth its share, else one is enough."""

    expected: tuple[str, ...]
    need: Literal["all", "any"] = "all"
    case: bool = False


class Numeric(Struct, frozen=True, kw_only=True, tag="numeric"):
    """A number in the answer is `expected`, give or take the larger of the two tolerances.

    The last number counts, where models put their result, or the first. `1,234.5` and `1e3` are numbers; `1.234,5`,
    `3/4` and words are not. A percent sign changes nothing.
    """

    expected: Decimal
    tolerance: Decimal = Decimal(0)
    relative_tolerance: Decimal = Decimal(0)
    which: Literal["last", "first", "only"] = "last"


class Regex(Struct, frozen=True, kw_only=True, tag="regex"):
    """The pattern is found in the answer, or with `absent` is not. Patterns are RE2's kind, as in CEL: no look-around
    and no back-references, so that no answer makes one slow. `^`, `$` for the whole answer; flags in front: `(?is)`."""

    pattern: str
    absent: bool = False


class Schema(Struct, frozen=True, kw_only=True, tag="json_schema"):
    """The answer is JSON of this schema (JSON Schema, drafts 4 to 2020-12). Needs the extra `evaluation`.

    One fence of ``` around it does not count, unless `bare`.
    """

    schema: dict[str, Any]
    bare: bool = False


Grader = Exact | Contains | Numeric | Regex | Schema
Graded = Callable[[str], Score]


def prepare(grader: Grader) -> Graded:
    """The grader as a function from an answer to its score. Raises GraderError where the grader itself is wrong."""
    match grader:
        case Exact():
            return _sized(_exact(grader))
        case Contains():
            return _sized(_contains(grader))
        case Numeric():
            return _sized(_numeric(grader))
        case Regex():
            return _sized(_regex(grader))
        case Schema():
            return _sized(_schema(grader))


def _sized(graded: Graded) -> Graded:
    def score(answer: str) -> Score:
        if len(answer) > MAX_ANSWER_CHARS:
            return Score(0.0, f"the answer has {len(answer):,} characters, more than {MAX_ANSWER_CHARS:,}")
        return graded(answer.encode("utf-8", "replace").decode())  # half a character, cut by a stream, becomes "?"

    return score


def _exact(grader: Exact) -> Graded:
    if not grader.expected:
        raise GraderError("`exact` needs at least one expected answer")
    put = str.strip if grader.literal else plain
    wanted = {put(one) for one in grader.expected}

    def score(answer: str) -> Score:
        if put(answer) in wanted:
            return Score(1.0, "is the expected answer")
        more = f" (or {len(grader.expected) - 1} other)" if len(grader.expected) > 1 else ""
        return Score(0.0, f"{shown(answer)} is not {shown(grader.expected[0])}{more}")

    return score


def _contains(grader: Contains) -> Graded:
    if not grader.expected or "" in grader.expected:
        raise GraderError("`contains` needs words to look for, none of them empty")
    put = str if grader.case else str.casefold

    def score(answer: str) -> Score:
        text = put(answer)
        missing = [one for one in grader.expected if put(one) not in text]
        found = len(grader.expected) - len(missing)
        value = float(found > 0) if grader.need == "any" else found / len(grader.expected)
        if value == 1.0:
            return Score(1.0, "has what it must have")
        return Score(value, f"lacks {', '.join([shown(one) for one in missing])}")

    return score


def _numeric(grader: Numeric) -> Graded:
    if grader.tolerance < 0 or grader.relative_tolerance < 0 or not grader.expected.is_finite():
        raise GraderError("`numeric` needs a finite number and tolerances that are not negative")
    allowed = max(grader.tolerance, abs(grader.expected) * grader.relative_tolerance)
    within = f" within {allowed.normalize():f}" if allowed else ""

    def score(answer: str) -> Score:
        found = numbers_in(answer)
        if not found:
            return Score(0.0, f"there is no number in {shown(answer)}")
        if grader.which == "only" and len(set(found)) > 1:
            return Score(0.0, f"there are {len(set(found))} numbers, one is wanted")
        number = found[0] if grader.which == "first" else found[-1]
        off = abs(number - grader.expected)
        if off <= allowed:
            return Score(1.0, f"{number} is {grader.expected}{within}")
        return Score(0.0, f"{number} is not {grader.expected}{within}")

    return score


def _regex(grader: Regex) -> Graded:
    program = cel_runtime().compile("answer.matches(pattern)")
    try:
        program.execute({"answer": "", "pattern": grader.pattern})
    except (RuntimeError, ValueError) as error:
        told = [line for line in str(error).splitlines() if line.startswith("error: ")]
        why = told[0].removeprefix("error: ").partition(". Check")[0] if told else "it cannot be compiled"
        raise GraderError(f"the pattern {shown(grader.pattern)} cannot be used: {why}") from error

    def score(answer: str) -> Score:
        found = program.execute({"answer": answer, "pattern": grader.pattern}) is True
        said = f"{shown(grader.pattern)} is {'' if found else 'not '}found"
        return Score(float(found != grader.absent), said)

    return score


def _schema(grader: Schema) -> Graded:
    check = SchemaCheck(grader.schema)

    def score(answer: str) -> Score:
        try:
            value = json_in(answer, bare=grader.bare)
        except ValueError as error:
            return Score(0.0, f"is not JSON: {error}")
        mistake = check.mistake(value)
        return Score(1.0, "fits the schema") if mistake is None else Score(0.0, mistake)

    return score


def plain(text: str) -> str:
    """Text without what does not count in an exact comparison."""
    return " ".join(text.split()).strip(_EDGE).casefold()


def numbers_in(text: str) -> list[Decimal]:
    """The numbers that stand in a text, in order. A full stop at the end of a sentence is no part of one."""
    found = []
    for match in _NUMBER.finditer(text):
        try:
            found.append(Decimal(match.group().replace(",", "")))
        except InvalidOperation:  # pragma: no cover - the pattern admits none
            continue
    return found


def shown(text: str) -> str:
    """A text for a reason: one line, quoted, its middle left out where it is long."""
    line = " ".join(text.split())
    if len(line) > MAX_SHOWN:
        line = f"{line[: MAX_SHOWN // 2]} … {line[-MAX_SHOWN // 2 :]}"
    return f"“{line}”"
