"""What of a prompt can be seen without understanding it."""

from collections.abc import Sequence

import numpy as np

from bascule.learned.embedder import both_ends
from bascule.learned.outcomes import Floats

_OPERATORS, _BRACKETS = frozenset("+-*/=^<>\\$"), frozenset("()[]{}")


def surface(prompts: Sequence[str]) -> Floats:
    """(prompts, 11): sizes on a log scale, and shares of characters. Bounded, so that no prompt is an outlier."""
    return np.array([_of(prompt) for prompt in prompts], dtype=np.float64).reshape(len(prompts), -1)


def _of(prompt: str) -> tuple[float, ...]:
    text = both_ends(prompt)
    size, words = max(len(text), 1), text.split()
    digits = sum(map(str.isdigit, text))
    return (
        float(np.log1p(len(prompt))),
        float(np.log1p(len(words))),
        digits / size,
        float(np.log1p(digits)),
        text.count("\n") / size,
        float(np.log1p(text.count("\n"))),
        sum(each in _OPERATORS for each in text) / size,
        sum(map(str.isupper, text)) / size,
        float(np.log1p(text.count("?"))),
        sum(each in _BRACKETS for each in text) / size,
        float("def " in text),
    )
