import pytest

from bascule.decide.strategies.agreement import agreement, overlap
from bascule.model.strategy import Agreement


@pytest.mark.parametrize(
    ("by", "one", "other", "agrees"),
    [
        ("exact", "Paris.", "paris", True),
        ("exact", "Paris", "Lyon", False),
        ("exact", "", "", False),
        ("exact", "...", "!", False),
        ("json", '{"a": 1, "b": 2}', '{"b": 2, "a": 1}', True),
        ("json", "[1]", "[2]", False),
        ("json", "[1]", "one", None),
        ("numeric", "so it is 1,200.", "1200", True),
        ("numeric", "3 times 4 is 12", "12 apples, 3 pears", False),
        ("numeric", "many", "12", None),
        ("words", "the cat sat down", "the cat sat", True),
        ("words", "the cat sat down", "a dog ran off", False),
        ("words", "", "", False),
        ("exact", "x" * 1_000_001, "x", None),
    ],
)
def test_what_agrees(by: str, one: str, other: str, agrees: bool | None) -> None:
    policy = Agreement(model="m", by=by)  # type: ignore[arg-type]
    assert agreement(policy, one, other).passed is agrees
    assert agreement(policy, other, one).passed is agrees


def test_overlap_counts_words_as_often_as_they_occur() -> None:
    assert overlap("a a b", "a b b") == pytest.approx(2 * 2 / 6)
    assert overlap("a b", "b a") == 1.0
