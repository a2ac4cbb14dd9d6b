from typing import Any

import pytest

from bascule.decide.json_schema import GraderError
from bascule.decide.output_contract import criteria, prepare_output_contract
from bascule.decide.unsupported import unsupported
from bascule.model.output_contract import OutputContract

SOURCE = (
    "Revenue rose from 1,234,567 dollars in 2024 to 1,480,000 in 2025, that is by 19.9 %. The board met on 2025-03-14. "
    '"We will not raise prices before the summer," said Ms Keller. Churn was 0.045.'
)


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("Revenue was 1234567 dollars in 2024.", []),
        ("Revenue was $1,234,567.", []),
        ("Revenue was 1.23 million, and 1.5 million a year later.", []),
        ("Revenue was 1.3 million.", ["1.3 million"]),
        ("It rose by 20 %.", []),
        ("It rose by 19.9 percent, churn is 4.5 %.", []),
        ("It rose by 25%.", ["25%"]),
        ("The board met on 2025-03-14.", []),
        ("The board met on 2025-03-15.", ["2025-03-15"]),
        ("There are 3 reasons:\n1. growth\n2. prices", []),
        ("It has 47 branches.", ["47"]),
        ("It has 3 % more.", ["3 %"]),
        ("Keller: “We will not  raise prices before the Summer”.", []),
        ("Keller: “We will never raise prices again”.", ["We will never raise prices again"]),
        ('The word "growth" is hers.', []),
        ("It grew, and will go on growing.", []),
    ],
)
def test_claims(text: str, claims: list[str]) -> None:
    assert [claim.what for claim in unsupported(text, [SOURCE])] == claims


def test_what_is_allowed_needs_no_source() -> None:
    assert unsupported("It has 47 branches.", [SOURCE], allowed=["47"]) == []


def test_the_sentence_is_told() -> None:
    (claim,) = unsupported("All is well. It has 47\tbranches in 2025. Good.", [SOURCE])
    assert claim.sentence == "It has 47 branches in 2025."


RULES: dict[str, Any] = {
    "max_words": 20,
    "sections": ("Summary", "Risks"),
    "required": ("not advice",),
    "forbidden": ("guaranteed", "risk free"),
    "sources": (SOURCE,),
}
GOOD = "# Summary\nRevenue rose by 19.9 %.\n**Risks**\nThis is not  advice."


@pytest.mark.parametrize(
    ("answer", "value", "broken"),
    [
        (GOOD, 1.0, ""),
        (GOOD.replace("19.9", "29.9"), 0.8, "29.9 %"),
        (GOOD.replace("not  advice", "advice"), 0.8, "lacks"),
        (GOOD + " It is Risk-free!", 0.8, "risk free"),
        (GOOD + " It is unguaranteed.", 1.0, ""),
        ("Risks\nSummary\nThis is not advice.", 0.8, "Risks"),
        (GOOD + " and so on" * 10, 0.8, "at most 20"),
        ("", 0.6, "Summary"),
    ],
)
def test_a_contract(answer: str, value: float, broken: str) -> None:
    score = prepare_output_contract(OutputContract(**RULES))(answer)
    assert score.value == pytest.approx(value)
    assert broken in score.reason


def test_a_schema_is_a_rule() -> None:
    graded = prepare_output_contract(OutputContract(schema={"type": "object", "required": ["a"]}, forbidden=("x",)))
    assert graded('{"a": 1}').value == 1.0
    assert graded('{"b": 1}').value == 0.5


def test_a_contract_without_rules_is_refused() -> None:
    with pytest.raises(GraderError, match="no rule"):
        prepare_output_contract(OutputContract(objective="Tell the board"))


def test_the_criteria_for_a_judge() -> None:
    said = criteria(
        OutputContract(objective="Tell the board", audience="people in a hurry", sources=("x",), judge=True)
    )
    assert "Tell the board" in said
    assert "people in a hurry" in said
    assert "reference" in said


def test_a_long_text_is_searched_in_time_with_its_length() -> None:
    text = "1" + ",111" * 50_000 + '"' * 50_000 + " 9" * 50_000
    assert [claim.what for claim in unsupported(text + " 77.", ["9" * 50_000, "“" * 50_000])][-1] == "77"
