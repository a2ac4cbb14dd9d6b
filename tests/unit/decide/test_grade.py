from decimal import Decimal
from typing import Any

import msgspec
import pytest

from bascule.decide import json_schema
from bascule.decide.grade import (
    MAX_ANSWER_CHARS,
    Contains,
    Exact,
    Grader,
    Numeric,
    Regex,
    Schema,
    numbers_in,
    prepare,
)
from bascule.decide.json_schema import GraderError

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "people": {"type": "integer", "minimum": 0}},
    "required": ["city"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("grader", "answer", "value"),
    [
        (Exact(expected=("Paris",)), " **paris.**\n", 1.0),
        (Exact(expected=("Paris",)), "It is Paris", 0.0),
        (Exact(expected=("Lyon", "New  York")), "new\nyork!", 1.0),
        (Exact(expected=("B",), literal=True), "b", 0.0),
        (Exact(expected=("B",), literal=True), "B\n", 1.0),
        (Contains(expected=("red", "green", "blue")), "Red and BLUE", 2 / 3),
        (Contains(expected=("red", "green"), need="any"), "green", 1.0),
        (Contains(expected=("red",), need="any"), "green", 0.0),
        (Contains(expected=("Red",), case=True), "red", 0.0),
        (Numeric(expected=Decimal(42)), "6 times 7 is 42.", 1.0),
        (Numeric(expected=Decimal(42)), "42, since 6 times 7", 0.0),
        (Numeric(expected=Decimal(42), which="first"), "42, since 6 times 7", 1.0),
        (Numeric(expected=Decimal(42), which="only"), "42 or 43", 0.0),
        (Numeric(expected=Decimal(42), which="only"), "42, I said 42", 1.0),
        (Numeric(expected=Decimal("1234.5")), "$1,234.50", 1.0),
        (Numeric(expected=Decimal("0.1"), tolerance=Decimal("0.2")), "0.3", 1.0),
        (Numeric(expected=Decimal("0.1"), tolerance=Decimal("0.2")), "0.3000000001", 0.0),
        (Numeric(expected=Decimal(-200), relative_tolerance=Decimal("0.01")), "-198", 1.0),
        (Numeric(expected=Decimal(200), relative_tolerance=Decimal("0.01")), "-200", 0.0),
        (Numeric(expected=Decimal(1)), "one", 0.0),
        (Regex(pattern=r"^\d{4}-\d\d$"), "2026-12", 1.0),
        (Regex(pattern=r"^\d{4}$"), "in 2026", 0.0),
        (Regex(pattern="(?i)sorry", absent=True), "I am SORRY", 0.0),
        (Regex(pattern="(?i)sorry", absent=True), "done", 1.0),
        (Schema(schema=CITY), '{"city": "Rome"}', 1.0),
        (Schema(schema=CITY), 'Here it is:\n```json\n{"city": "Rome", "people": 3}\n```\nBye', 1.0),
        (Schema(schema=CITY, bare=True), '```json\n{"city": "Rome"}\n```', 0.0),
        (Schema(schema=CITY), '```\n{"city": "a"}\n```\n```\n{"city": "b"}\n```', 0.0),
        (Schema(schema=CITY), '{"city": "Rome", "people": -3}', 0.0),
        (Schema(schema=CITY), '{"city": "Rome", "mayor": 1}', 0.0),
        (Schema(schema=CITY), '{"city": "Rome"} and more', 0.0),
        (Schema(schema=CITY), "", 0.0),
    ],
)
def test_scores(grader: Grader, answer: str, value: float) -> None:
    score = prepare(grader)(answer)
    assert score.value == pytest.approx(value)
    assert score.passed == (value == 1.0)
    assert score.reason
    assert "\n" not in score.reason


def test_a_reason_names_the_place() -> None:
    assert prepare(Schema(schema=CITY))('{"city": "Rome", "people": "many"}').reason.startswith("at people: ")


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1,234.5 and 1e3, -7. v2 x3 10%", ["1234.5", "1e3", "-7", "10"]),
        ("1.5.2 3,5", []),
        ("12,34", []),
        ("from 3 to 5.", ["3", "5"]),
        ("", []),
    ],
)
def test_numbers(text: str, numbers: list[str]) -> None:
    assert numbers_in(text) == [Decimal(number) for number in numbers]


@pytest.mark.parametrize(
    ("grader", "said"),
    [
        (Exact(expected=()), "at least one"),
        (Contains(expected=("",)), "empty"),
        (Numeric(expected=Decimal("NaN")), "finite"),
        (Numeric(expected=Decimal(1), tolerance=Decimal(-1)), "negative"),
        (Regex(pattern="("), "unclosed group"),
        (Regex(pattern="(?=a)b"), "look-around"),
        (Schema(schema={"type": "strin"}), "JSON Schema is wrong"),
        (Schema(schema={"$ref": "http://127.0.0.1:9/schema"}), "nothing is fetched"),
        (Schema(schema={"$ref": "file:///etc/passwd"}), "nothing is fetched"),
    ],
)
def test_a_wrong_grader_is_refused_before_any_answer(grader: Grader, said: str) -> None:
    with pytest.raises(GraderError, match=said):
        prepare(grader)


def test_no_answer_makes_a_pattern_slow() -> None:
    """Both patterns take exponential time in an engine that backtracks without a bound."""
    answer = "a" * 50_000 + "b"
    assert prepare(Regex(pattern="^(a+)+$"))(answer).value == 0.0
    assert prepare(Schema(schema={"pattern": r"^(?:(a+)+)\1$"}))(f'"{answer}"').value == 0.0


@pytest.mark.parametrize(
    "answer", ["\x00", "\ud800", "[" * 100_000, "9" * 5_000, "1" + ",111" * 20_000, "```" * 30_000, "e" * 100_000]
)
def test_no_answer_breaks_a_grader(answer: str) -> None:
    graders: tuple[Grader, ...] = (
        Exact(expected=("a",)), Contains(expected=("zz",)), Numeric(expected=Decimal(-5)), Regex(pattern="zz"),
        Schema(schema={"type": "object"}),
    )  # fmt: skip
    for grader in graders:
        assert prepare(grader)(answer).value == 0.0, grader


def test_a_book_is_not_read() -> None:
    assert prepare(Contains(expected=("a",)))("a" * (MAX_ANSWER_CHARS + 1)).value == 0.0


def test_graders_are_values() -> None:
    for grader in (Exact(expected=("a",)), Numeric(expected=Decimal("0.10")), Schema(schema=CITY)):
        assert msgspec.json.decode(msgspec.json.encode(grader), type=Grader) == grader


def test_without_the_package_schemas_are_refused(monkeypatch: Any) -> None:
    monkeypatch.setattr(json_schema, "find_spec", lambda name: None)
    with pytest.raises(GraderError, match=r"bascule\[evaluation\]"):
        prepare(Schema(schema=CITY))
