"""Ridge regression of many outcomes at once, each direction among them with the penalty that suits it.

Outcomes of models on the same prompts go together: most of what can be predicted is how hard a prompt is, and the rest
is noise. So the outcomes are turned into uncorrelated directions (singular vectors), and each gets its own penalty, by
the leave-one-out error, which ridge has in closed form (Allen 1974, PRESS). A direction that the mean predicts better
than any penalty is left at the mean. This is shrinkage in both ways: over prompts and over models.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bascule.learned.features import Seen
from bascule.learned.outcomes import Floats

_PENALTIES = np.logspace(-3, 2, 14)
"""Per training prompt."""
_MEANING, _LABEL = 16.0, 5.0
"""Makes a dimension of an embedding about as wide as a standardised feature; lets labels be shrunk least."""
_FURTHEST = 8.0
_RARE = 0.02
"""Added to the variance of a word's count, so that rare words do not count for more than frequent ones."""


@dataclass(frozen=True)
class Ridge:
    """`labels` and the scales of features, then one matrix: a prediction is a product."""

    labels: tuple[str, ...]
    centre: Floats
    scale: Floats
    means: Floats
    weights: Floats
    """(features, outcomes)"""

    def __call__(self, seen: Seen) -> Floats:
        """(prompts, outcomes). An unknown label counts as the average of all labels."""
        shown = _shown(seen, self.labels, self.centre, self.scale)
        known = set(self.labels)
        unknown = np.array([label not in known for label in seen.labels], dtype=bool)
        shown[unknown, shown.shape[1] - len(self.labels) :] = 0.0
        return np.asarray(self.means + shown @ self.weights)


def fitted(seen: Seen, blocks: Sequence[Floats]) -> Ridge:
    """Outcomes of one kind (qualities, costs) are a block: directions are looked for inside each."""
    labels = tuple(sorted(set(seen.labels)))
    features = _features(seen, labels)
    centre = features.mean(axis=0)
    scale = _scale(features, seen, len(labels))
    shown = _shown(seen, labels, centre, scale)
    strengths, axes = np.linalg.eigh(shown.T @ shown)
    on_axes, strengths = shown @ axes, np.maximum(strengths, 0.0)
    weights = [_on_axes(on_axes, strengths, block - block.mean(axis=0)) for block in blocks]
    return Ridge(labels, centre, scale, np.hstack(blocks).mean(axis=0), np.asarray(axes @ np.hstack(weights)))


def _shown(seen: Seen, labels: tuple[str, ...], centre: Floats, scale: Floats) -> Floats:
    """Standardised and bounded: whoever writes a prompt can move a feature only so far."""
    return np.clip((_features(seen, labels) - centre) * scale, -_FURTHEST, _FURTHEST)


def _on_axes(on_axes: Floats, strengths: Floats, outcomes: Floats) -> Floats:
    prompts = len(on_axes)
    left, sizes, directions = np.linalg.svd(outcomes, full_matrices=False)
    targets = left * sizes
    products, squares = on_axes.T @ targets, on_axes**2
    errors = []
    for penalty in prompts * _PENALTIES:
        leverage = squares @ (1 / (strengths + penalty)) + 1 / prompts
        left_out = (targets - on_axes @ (products / (strengths + penalty)[:, None])) / (1 - leverage)[:, None]
        errors.append((left_out**2).sum(axis=0))
    best = np.argmin(errors, axis=0)
    fitted_targets = products / (strengths[:, None] + prompts * _PENALTIES[best][None, :])
    fitted_targets[:, np.min(errors, axis=0) >= (targets**2).sum(axis=0)] = 0.0
    return np.asarray(fitted_targets @ directions)


def _features(seen: Seen, labels: tuple[str, ...]) -> Floats:
    place = {label: column for column, label in enumerate(labels)}
    one_hot = np.zeros((len(seen), len(labels)))
    for row, label in enumerate(seen.labels):
        if label in place:
            one_hot[row, place[label]] = 1.0
    return np.hstack([seen.meaning, seen.words, seen.surface, one_hot])


def _scale(features: Floats, seen: Seen, labels: int) -> Floats:
    meaning, words = seen.meaning.shape[1], seen.words.shape[1]
    spread = features.var(axis=0)
    scale = np.empty(features.shape[1])
    scale[:meaning] = _MEANING
    scale[meaning : meaning + words] = 1 / np.sqrt(spread[meaning : meaning + words] + _RARE)
    scale[meaning + words :] = 1 / np.sqrt(np.maximum(spread[meaning + words :], 1e-6))
    scale[features.shape[1] - labels :] = _LABEL
    return scale
