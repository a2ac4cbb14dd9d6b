"""What of a prompt can be seen without understanding it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bascule.learned.embedder import Embedder, both_ends
from bascule.learned.outcomes import Floats, Ints

_OPERATORS, _BRACKETS = frozenset("+-*/=^<>\\$"), frozenset("()[]{}")
_NUMBER, _SENTENCE_END = re.compile(r"\d[\d,.]*"), re.compile(r"[.!?]\s")
_PHRASES = (
    *("how many", "how much", "how long", "each", "per ", "every", "half", "twice", "times", "third", "quarter"),
    *("percent", "%", "more than", "less than", "fewer", "remaining", "left", "total", "if ", "than", "not "),
    *("except", "following", "average", "year", "week", "hour", "$", "first", "then", "after", "before", "because"),
    *("which of", "__", "true", "false"),
)
"""Of word problems and of questions with choices: each is a step that a weak model may miss."""


@dataclass(frozen=True)
class Seen:
    """Prompts as the predictors see them, one row each."""

    meaning: NDArray[np.float32]
    words: NDArray[np.float32]
    surface: Floats
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def only(self, rows: Ints) -> "Seen":
        labels = tuple([self.labels[row] for row in rows])
        return Seen(self.meaning[rows], self.words[rows], self.surface[rows], labels)

    def without_words(self) -> "Seen":
        return Seen(self.meaning, self.words[:, :0], self.surface, self.labels)


def see(prompts: Sequence[str], labels: Sequence[str], embedder: Embedder) -> Seen:
    reading = embedder(prompts)
    return Seen(reading.meaning, reading.words, surface(prompts), tuple(labels))


def surface(prompts: Sequence[str]) -> Floats:
    """(prompts, sizes on a log scale, shares of characters, counts of phrases). Bounded: no prompt is an outlier."""
    return np.array([_of(prompt) for prompt in prompts], dtype=np.float64).reshape(len(prompts), -1)


def _of(prompt: str) -> tuple[float, ...]:
    text = both_ends(prompt)
    size, words = max(len(text), 1), text.split()
    lines, lower = text.count("\n"), text.lower()
    numbers = _NUMBER.findall(text)
    digits = sum(map(len, numbers))
    counts = (
        *(len(prompt), len(words), len(set(words)), digits, lines, text.count("?"), len(numbers), len(set(numbers))),
        len(_SENTENCE_END.findall(text)),
        max(map(len, numbers), default=0),
        *map(lower.count, _PHRASES),
    )
    return (
        *np.log1p(counts).tolist(),
        digits / size,
        lines / size,
        sum(map(text.count, _OPERATORS)) / size,
        sum(map(text.count, _BRACKETS)) / size,
        min(sum(map(len, words)) / max(len(words), 1) / 10, 2.0),
        float("def " in text),
        sum(map(str.isupper, text)) / size,
    )
