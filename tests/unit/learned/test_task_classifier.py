"""The shipped classifier: what is plain is known, what is not is unsure, and nothing makes it fail."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bascule.learned.embedder import Embedder
from bascule.learned.task_classifier import TaskClassifier, shipped, told

_SHIPPED = shipped(Embedder())


@pytest.fixture
def classifier() -> TaskClassifier:
    return _SHIPPED


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("Translate this into Italian: the shop opens at nine.", "translation"),
        ("Übersetze diesen Satz ins Englische: Der Laden öffnet um neun.", "translation"),
        ("Find all real roots of x^2 - 7x + 12 = 0.", "math"),
        (
            "Find every security vulnerability in this login handler:\nquery('select * from t where n=' + n)",
            "security_audit",
        ),
        ("hello there, how are you doing?", "chat"),
    ],
)
def test_what_is_plain_is_known(classifier: TaskClassifier, text: str, task: str) -> None:
    assert classifier("", text) == task


@pytest.mark.parametrize("text", ["", " ", "42", "asdf qwer", "\x00", "the the the"])
def test_what_says_nothing_is_unsure(classifier: TaskClassifier, text: str) -> None:
    assert classifier("", text) in (None, "math", "chat")
    assert classifier.probabilities((text,)).max() <= 1.0


def test_probabilities_are_of_one_whole(classifier: TaskClassifier) -> None:
    found = classifier.probabilities(("Write a poem about the sea.", "Fix the bug in this code."))
    assert found.shape == (2, len(classifier.tasks))
    assert found.sum(axis=1) == pytest.approx([1.0, 1.0])


def test_a_longer_text_than_is_read_changes_nothing(classifier: TaskClassifier) -> None:
    text = "Summarize the following report. " * 200
    assert told("", text) == told("", text + "Now write code. " * 1_000)
    assert told("be brief " * 200, "hi") == told("be brief " * 300, "hi")


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_is_answered(system: str, user: str) -> None:
    assert _SHIPPED(system, user) in (None, *_SHIPPED.tasks)
