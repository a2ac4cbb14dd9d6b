"""Means of outcomes by task label, shrunk towards the mean of all prompts (empirical Bayes)."""

from dataclasses import dataclass

import numpy as np

from bascule.learned.outcomes import Floats


@dataclass(frozen=True)
class LabelMeans:
    labels: tuple[str, ...]
    means: Floats
    """(outcomes,): of all prompts; what an unknown label gets."""
    of_label: Floats
    """(labels, outcomes)"""

    def __call__(self, labels: tuple[str, ...]) -> Floats:
        place = {label: row for row, label in enumerate(self.labels)}
        rows = [place.get(label) for label in labels]
        return np.array([self.means if row is None else self.of_label[row] for row in rows])


def fitted(labels: tuple[str, ...], outcomes: Floats) -> LabelMeans:
    """A label's mean is moved to the common one by the share of its variance that chance explains (method of moments,
    Morris 1983), for each outcome on its own: where labels do not differ more than chance makes them, all are equal."""
    names = np.array(sorted(set(labels)))
    of = np.searchsorted(names, np.array(labels))
    count = np.bincount(of, minlength=len(names)).astype(np.float64)[:, None]
    overall = outcomes.mean(axis=0)
    means = np.array([outcomes[of == row].mean(axis=0) for row in range(len(names))])
    chance = outcomes.var(axis=0)[None, :] / count
    between = np.maximum(((means - overall) ** 2 - chance).mean(axis=0), 0.0)[None, :]
    kept = between / np.maximum(between + chance, 1e-12)
    return LabelMeans(tuple(names.tolist()), overall, overall + kept * (means - overall))
