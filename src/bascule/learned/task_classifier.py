"""What kind of work a request is, by its words: a logistic regression on the static embedder, which may be unsure.

Its weights are shipped (`task_weights.npz`, made by `scripts/task_classifier.py`). How often it is right, and how often
it says nothing: `python -m benchmarks.routing classifier`.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bascule.learned.embedder import Embedder, Reading
from bascule.learned.outcomes import Floats

WEIGHTS = Path(__file__).parent / "task_weights.npz"
SYSTEM_CHARS, USER_CHARS = 400, 2_000
_MEANING_SCALE = 16.0
"""Makes a dimension of an embedding about as wide as the count of a word."""


@dataclass(frozen=True)
class TaskClassifier:
    """Implements `model.prediction.Classifier`."""

    tasks: tuple[str, ...]
    weights: Floats
    """(features + 1, tasks); the last row is the constant. Calibrated: softmax gives probabilities."""
    sure: float
    """Below this probability it is unsure."""
    embedder: Embedder

    def __call__(self, system_text: str, user_text: str) -> str | None:
        """The task; None where it is unsure. Any text will do; only the beginnings are read."""
        (probabilities,) = self.probabilities((told(system_text, user_text),))
        best = int(probabilities.argmax())
        return self.tasks[best] if probabilities[best] >= self.sure else None

    def probabilities(self, texts: tuple[str, ...]) -> Floats:
        """(texts, tasks)"""
        return softmax(shown(self.embedder(texts)) @ self.weights)


def told(system_text: str, user_text: str) -> str:
    """An application's instructions say what is done; its user's text may be material only, so both are read."""
    user_text = user_text[:USER_CHARS]
    return f"{system_text[:SYSTEM_CHARS]}\n{user_text}" if system_text else user_text


def shown(reading: Reading) -> Floats:
    """(texts, features + 1)"""
    ones = np.ones((len(reading.meaning), 1))
    return np.hstack([_MEANING_SCALE * reading.meaning, reading.words, ones]).astype(np.float64)


def softmax(scores: Floats) -> Floats:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def shipped(embedder: Embedder) -> TaskClassifier:
    """With the weights of this release. Raises MissingEmbedder."""
    with np.load(WEIGHTS, allow_pickle=False) as read:
        weights: NDArray[np.float16] = read["weights"]
        made = TaskClassifier(tuple(read["tasks"].tolist()), weights.astype(np.float64), float(read["sure"]), embedder)
    embedder(("",))  # loads its own weights now, and not with the first request
    return made
