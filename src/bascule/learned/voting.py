"""Answers of models called in turn: which leads, and how sure one can be that it is right.

Each model's vote weighs what its own predicted quality says (the log-odds of a naive Bayes vote, Nitzan and Paroush
1982). How far the leader is ahead, and of whom, becomes a probability by logistic regression on training prompts.
"""

from dataclasses import dataclass

import numpy as np

from bascule.learned.outcomes import NO_ANSWER, Floats, Ints

_AGREED_BY_CHANCE = 2.0
"""Added to log-odds: two models rarely agree by chance on a wrong answer out of many."""
_LEAST_WEIGHT = 0.1
_EDGE = 0.02
FEATURES = 9


@dataclass(frozen=True)
class Votes:
    """After each of the calls made so far; (prompts, calls)."""

    leader: Ints
    """Which call gave the leading answer: of those that agree, the one that is likeliest to be right."""
    features: Floats
    """(prompts, calls, FEATURES)"""


def counted(answers: Ints, quality: Floats) -> Votes:
    """Votes in order of calls, from answers and predicted qualities, both (prompts, calls)."""
    prompts, calls = answers.shape
    odds = log_odds(quality)
    weights = np.where(answers == NO_ANSWER, 0.0, np.maximum(odds + _AGREED_BY_CHANCE, _LEAST_WEIGHT))
    agree = (answers[:, :, None] == answers[:, None, :]) & (answers[:, :, None] != NO_ANSWER)
    leader, features = np.zeros((prompts, calls), np.int64), np.zeros((prompts, calls, FEATURES))
    rows = np.arange(prompts)
    for called in range(1, calls + 1):
        support = (agree[:, :called, :called] * weights[:, None, :called]).sum(axis=2)
        first = support.argmax(axis=1)
        same = agree[rows, first, :called]
        best = np.where(same, quality[:, :called], -1.0).argmax(axis=1)
        found = same.any(axis=1)
        leader[:, called - 1] = np.where(found, best, called - 1)
        ahead = support[rows, first]
        behind = np.where(same, 0.0, support).max(axis=1)
        others = np.where(same, -4.0, odds[:, :called])
        backed = np.where(same, odds[:, :called], -4.0)
        agreeing = same.sum(axis=1)
        features[:, called - 1] = np.stack(
            [
                *(ahead, behind, ahead - behind, agreeing.astype(float), (called - agreeing).astype(float)),
                *(backed.max(axis=1), others.max(axis=1), quality[:, :called].mean(axis=1), found.astype(float)),
            ],
            axis=1,
        )
    return Votes(leader, features)


def log_odds(probability: Floats) -> Floats:
    inside = np.clip(probability, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(inside / (1 - inside)))


@dataclass(frozen=True)
class Confidence:
    """Logistic: the probability that the leading answer is right."""

    weights: Floats
    """(FEATURES + 1,), the last one the constant."""

    def __call__(self, features: Floats) -> Floats:
        score = features @ self.weights[:-1] + self.weights[-1]
        return np.asarray(1 / (1 + np.exp(-np.clip(score, -30, 30))))


def calibrated(features: Floats, right: Floats) -> Confidence:
    """Newton's method with a small ridge, from (examples, FEATURES) and quality 0 to 1."""
    shown = np.hstack([features, np.ones((len(features), 1))])
    weights = np.zeros(FEATURES + 1)
    penalty = 1e-3 * len(shown) * np.eye(FEATURES + 1)
    penalty[-1, -1] = 1e-9
    for _ in range(30):
        expected = 1 / (1 + np.exp(-np.clip(shown @ weights, -30, 30)))
        slope = shown.T @ (expected - right) + penalty @ weights
        curve = (shown * (expected * (1 - expected))[:, None]).T @ shown + penalty
        step = np.linalg.solve(curve, slope)
        weights = weights - step
        if np.abs(step).max() < 1e-6:
            break
    return Confidence(weights)
