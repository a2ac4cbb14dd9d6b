"""Train the shipped task classifier from scripts/tasks/training.yaml: `python scripts/task_classifier.py`.

Sentences are filled with words from the slots, evenly over classes. Penalty, temperature and the probability below
which it is unsure are chosen by cross-validation over sentences: no variant of a tested one is trained on. Prints what
they came to. The same text gives the same weights.
"""

import random
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from bascule.learned.embedder import Embedder
from bascule.learned.outcomes import Floats, Ints
from bascule.learned.task_classifier import WEIGHTS, shown, softmax

TRAINING = Path(__file__).parent / "tasks" / "training.yaml"
EACH = 300
"""Examples of a class."""
FOLDS = 5
PENALTIES = (1e-3, 3e-3, 1e-2)
TEMPERATURES = (0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0)
PRECISION = 0.95
"""Wanted of those that it is sure of, in cross-validation."""
_STEPS, _RATE = 150, 0.05
_SLOT = re.compile(r"\{(\w+)\}")


def examples(seed: int = 1) -> tuple[list[str], list[str], list[int]]:
    """Texts, their classes, and the number of the sentence that each was made from."""
    told: dict[str, Any] = YAML(typ="safe").load(TRAINING)
    dice, slots = random.Random(seed), told["slots"]  # noqa: S311
    texts, classes, sentences = [], [], []
    number = 0
    for name, lines in told["classes"].items():
        for at, line in enumerate(lines):
            share = EACH // len(lines) + (at < EACH % len(lines))
            for _ in range(share if _SLOT.search(line) else max(1, share // 4)):
                texts.append(_filled(line, slots, dice))
                classes.append(name)
                sentences.append(number)
            number += 1
    return texts, classes, sentences


def _filled(line: str, slots: dict[str, list[str]], dice: random.Random) -> str:
    def word(match: re.Match[str]) -> str:
        return _filled(dice.choice(slots[match[1]]), slots, dice)

    text = _SLOT.sub(word, line.replace("{{", "\x00").replace("}}", "\x01")).replace("\x00", "{").replace("\x01", "}")
    return text if dice.random() < 0.7 else text[0].lower() + text[1:]


def fitted(features: Floats, wanted: Ints, tasks: int, penalty: float) -> Floats:
    """Multinomial logistic regression by Adam (Kingma and Ba 2015), each class with the same weight in all."""
    weights = np.zeros((features.shape[1], tasks))
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    each = (1 / np.bincount(wanted, minlength=tasks))[wanted] / tasks
    target = np.eye(tasks)[wanted]
    for step in range(1, _STEPS + 1):
        slope = features.T @ ((softmax(features @ weights) - target) * each[:, None]) + penalty * weights
        first = 0.9 * first + 0.1 * slope
        second = 0.999 * second + 0.001 * slope**2
        weights -= _RATE * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return weights


def main() -> int:
    texts, classes, sentences = examples()
    tasks = sorted(set(classes))
    wanted = np.array([tasks.index(name) for name in classes])
    features = shown(Embedder()(texts))
    fold_of = np.random.default_rng(1).permutation(max(sentences) + 1)[np.array(sentences)] % FOLDS
    best = min(PENALTIES, key=lambda penalty: _loss(_left_out(features, wanted, fold_of, len(tasks), penalty), wanted))
    scores = _left_out(features, wanted, fold_of, len(tasks), best)
    temperature = min(TEMPERATURES, key=lambda one: _loss(scores / one, wanted))
    probabilities = softmax(scores / temperature)
    right = probabilities.argmax(axis=1) == wanted
    sure = _threshold(probabilities.max(axis=1), right)
    kept = probabilities.max(axis=1) >= sure
    weights = fitted(features, wanted, len(tasks), best) / temperature
    np.savez_compressed(WEIGHTS, weights=weights.astype(np.float16), tasks=np.array(tasks), sure=np.array(sure))
    print(
        f"{len(texts)} texts from {max(sentences) + 1} sentences, {len(tasks)} tasks; penalty {best:g}, temperature"
        f" {temperature:g}; left out: right {right.mean():.3f}; sure from {sure:.2f} on: {kept.mean():.3f} of them,"
        f" right {right[kept].mean():.3f}; {WEIGHTS.name} {WEIGHTS.stat().st_size} bytes"
    )
    return 0


def _left_out(features: Floats, wanted: Ints, fold_of: Ints, tasks: int, penalty: float) -> Floats:
    scores = np.zeros((len(wanted), tasks))
    for fold in range(FOLDS):
        inside = fold_of != fold
        scores[~inside] = features[~inside] @ fitted(features[inside], wanted[inside], tasks, penalty)
    return scores


def _loss(scores: Floats, wanted: Ints) -> float:
    return float(-np.log(np.maximum(softmax(scores)[np.arange(len(wanted)), wanted], 1e-12)).mean())


def _threshold(probability: Floats, right: np.ndarray[Any, np.dtype[np.bool_]]) -> float:
    """The least at which those above are right as often as is wanted."""
    for sure in np.arange(0.2, 0.99, 0.01):
        kept = probability >= sure
        if kept.any() and right[kept].mean() >= PRECISION:
            return round(float(sure), 2)
    raise SystemExit("nothing reaches the precision that is wanted: more or clearer sentences are needed")


if __name__ == "__main__":
    sys.exit(main())
