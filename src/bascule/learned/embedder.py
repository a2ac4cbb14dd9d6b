"""A static embedder: the mean of a prompt's token vectors, from the weights that the wheel `wordllama` carries.

The library's own loader looks its tokenizer up on a hub although the wheel has it, so the two files are read directly:
offline, and without what else the library brings (Kusupati et al. 2022, arXiv 2205.13147, for the dimensions).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bascule.model.errors import BasculeError

DIMENSIONS = 256
BUCKETS = 1_024
"""Tokens are counted in so many buckets, by the remainder of their number: which words occur, beside what they mean."""
END_CHARS = 1_000
"""Of a long prompt the beginning and the end are read, so many characters each: most of a decision's time."""
_WEIGHTS, _TOKENIZER = "weights/l2_supercat_256.safetensors", "tokenizers/l2_supercat_tokenizer_config.json"


class MissingEmbedder(BasculeError):
    """The embedder's files are not installed."""


@dataclass(frozen=True)
class Reading:
    """What tokens say of prompts, one row each."""

    meaning: NDArray[np.float32]
    """(prompts, DIMENSIONS), each row of length 1; all zeros without any known token."""
    words: NDArray[np.float32]
    """(prompts, BUCKETS): log(1 + count)."""


class Embedder:
    """Loads its 16 MB when it is first used; 0.1 to 0.4 ms a prompt."""

    def __call__(self, prompts: Sequence[str]) -> Reading:
        meaning = np.zeros((len(prompts), DIMENSIONS), np.float32)
        words = np.zeros((len(prompts), BUCKETS), np.float32)
        for row, prompt in enumerate(prompts):
            tokens = self._tokenizer.encode(both_ends(prompt), add_special_tokens=False).ids
            if tokens:
                meaning[row] = self._vectors[tokens].mean(axis=0)
                words[row] = np.bincount(np.asarray(tokens) % BUCKETS, minlength=BUCKETS)
        meaning /= np.maximum(np.linalg.norm(meaning, axis=1, keepdims=True), np.float32(1e-9))
        return Reading(meaning, np.log1p(words))

    @cached_property
    def _vectors(self) -> NDArray[np.float32]:
        from safetensors.numpy import load_file

        (vectors,) = load_file(_place() / _WEIGHTS).values()
        return np.asarray(vectors, np.float32)

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        return Tokenizer.from_file(str(_place() / _TOKENIZER))


def both_ends(prompt: str) -> str:
    if len(prompt) <= 2 * END_CHARS:
        return prompt
    return f"{prompt[:END_CHARS]}\n{prompt[-END_CHARS:]}"


def _place() -> Path:
    spec = find_spec("wordllama")
    if spec is None or spec.origin is None:
        raise MissingEmbedder("a learned router needs its embedder; pip install 'bascule[routing]'")
    return Path(spec.origin).parent
