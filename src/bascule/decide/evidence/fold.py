"""From findings of every source to one estimate per model and task.

A subject's observations are binomial around its quality, and its quality is beta around what similar subjects lead to
expect: the task's mean over all other models, moved by how far this model is from those means at its other tasks. How
much that expectation counts is learned from how well it does (empirical Bayes, by moments: Morris, JASA 78, 1983;
Efron and Hastie, "Computer Age Statistical Inference", chapter 7). So a subject with few observations is near its
like, one with many stands for itself, and a model that nobody has tried has a wide interval.

A changed model or a changed prompt is a new subject: what was found of the old one is part of what it is expected to
be, and no observation of its own. A declared quality is its own interval until observations refute it.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from bascule.decide.evidence.binomial import beta_quantile
from bascule.decide.evidence.finding import Estimate, Finding, Source, Subject

_UNKNOWN_MEAN = 0.5
_CLASS_WEIGHT = 20.0
"""No cell says more about the others than so many observations, however many it has."""
_EXPECTATION = (2.0, 60.0)
"""Least and most observations that an expectation counts as."""
_UNTESTED_EXPECTATION = 4.0
"""Where fewer than `_LEAST_CELLS` cells can tell how good expectations are."""
_LEAST_CELLS = 6
_DECLARED_WEIGHT = 20.0
_REFUTED = 0.995
_MOST_OF: dict[Source, float] = {"public": 25.0, "learned": 50.0, "measured": float("inf"), "live": float("inf")}
"""What is found elsewhere than in one's own traffic says so much about it at most."""
_PUBLIC_HALF_LIFE_MS = 365 * 86_400_000
_SUPERSEDED_WEIGHT = 10.0
"""Of all that was found of a model's earlier snapshots and prompts, towards what is expected of the new one."""


class _Cell(Struct):
    """One model at one task."""

    weight: float = 0.0
    sum: float = 0.0

    def add(self, mean: float, weight: float) -> None:
        self.weight += weight
        self.sum += weight * mean

    @property
    def mean(self) -> float:
        return self.sum / self.weight

    @property
    def say(self) -> float:
        """What its mean counts for, when others are judged by it: independent up to a spread between subjects."""
        return self.weight * _CLASS_WEIGHT / (self.weight + _CLASS_WEIGHT)


class Means(Struct, frozen=True, kw_only=True):
    """What findings of all models and tasks say together."""

    cells: Mapping[tuple[str, str], tuple[float, float]]
    """(model, task) to (say, mean)."""
    tasks: Mapping[str, tuple[float, float]]
    """Task to (sum of says, sum of says times mean)."""
    all: tuple[float, float]
    expectation: float = _UNTESTED_EXPECTATION
    """Observations that an expectation counts as."""


def weight_of(finding: Finding, now_ms: int) -> float:
    """The observations that a finding counts as: bounded by where it comes from, and for public ones by its age."""
    weight = min(finding.weight, _MOST_OF.get(finding.source, 0.0))
    if finding.source == "public":
        age_ms = max(0, now_ms - finding.at_ms) if finding.at_ms is not None else 4 * _PUBLIC_HALF_LIFE_MS
        weight *= 0.5 ** (age_ms / _PUBLIC_HALF_LIFE_MS)
    return weight


def means(findings: Iterable[Finding], now_ms: int) -> Means:
    """What all subjects together teach; made anew when findings change, not per request."""
    cells: dict[tuple[str, str], _Cell] = {}
    for finding in findings:
        weight = weight_of(finding, now_ms)
        if weight > 0:
            key = finding.subject.model, finding.subject.task
            cells.setdefault(key, _Cell()).add(finding.mean, weight)
    says = {key: (cell.say, cell.mean) for key, cell in cells.items()}
    tasks: dict[str, tuple[float, float]] = {}
    for (_, task), (say, mean) in says.items():
        before = tasks.get(task, (0.0, 0.0))
        tasks[task] = before[0] + say, before[1] + say * mean
    every = sum([say for say, _ in says.values()]), sum([say * mean for say, mean in says.values()])
    unjudged = Means(cells=says, tasks=tasks, all=every)
    return Means(cells=says, tasks=tasks, all=every, expectation=_worth(unjudged, cells))


def expected(model: str, task: str, of: Means) -> float:
    """What this model's quality at this task is expected to be from everything but that very cell."""
    own_say, own_mean = of.cells.get((model, task), (0.0, 0.0))
    overall = _mean(of.all[0] - own_say, of.all[1] - own_say * own_mean, _UNKNOWN_MEAN, 1.0)
    of_task = of.tasks.get(task, (0.0, 0.0))
    task_mean = _mean(of_task[0] - own_say, of_task[1] - own_say * own_mean, overall, 5.0)
    moved, weight = 0.0, _CLASS_WEIGHT / 2
    for other, (says, sum_of_task) in of.tasks.items():
        say, mean = of.cells.get((model, other), (0.0, 0.0))
        if other != task and say > 0 and says > say:
            moved += say * (mean - (sum_of_task - say * mean) / (says - say))
            weight += say
    return min(0.98, max(0.02, task_mean + moved / weight))


def _mean(weight: float, total: float, otherwise: float, otherwise_weight: float) -> float:
    return (max(0.0, total) + otherwise_weight * otherwise) / (max(0.0, weight) + otherwise_weight)


def _worth(of: Means, cells: Mapping[tuple[str, str], _Cell]) -> float:
    """How many observations an expectation is worth, from how far cells lie from theirs beyond what chance explains."""
    scatter, chance, count = 0.0, 0.0, 0
    for (model, task), cell in cells.items():
        if cell.weight >= 5:
            expectation = expected(model, task, of)
            scatter += (cell.mean - expectation) ** 2
            chance += expectation * (1 - expectation) * (1 / cell.weight)
            count += 1
    if count < _LEAST_CELLS:
        return _UNTESTED_EXPECTATION
    typical = sum([mean * (1 - mean) for _, mean in of.cells.values()]) / len(of.cells)
    beyond = (scatter - chance) / count
    least, most = _EXPECTATION
    return most if beyond <= 0 else min(most, max(least, typical / beyond - 1.0))


def estimate(subject: Subject, findings: Iterable[Finding], of: Means, now_ms: int) -> Estimate:
    """The subject's quality. `findings`: those of its model at its task, of whatever snapshot and prompt."""
    own, superseded, declared = _Cell(), _Cell(), None
    by_source: dict[Source, float] = {}
    for finding in findings:
        if finding.source == "declared":
            declared = finding.mean
            continue
        weight = weight_of(finding, now_ms)
        if weight <= 0:
            continue
        if _is_of(finding.subject, subject):
            own.add(finding.mean, weight)
            by_source[finding.source] = by_source.get(finding.source, 0.0) + weight
        else:
            superseded.add(finding.mean, weight)
    prior, prior_weight = expected(subject.model, subject.task, of), of.expectation
    if superseded.weight:
        weight = min(_SUPERSEDED_WEIGHT, superseded.weight)
        prior = (prior * prior_weight + superseded.mean * weight) / (prior_weight + weight)
        prior_weight += weight
    weightiest = max(by_source.items(), key=lambda item: item[1], default=None)
    source = None if weightiest is None else weightiest[0]
    if declared is None:
        return _posterior(prior, prior_weight, own, source)
    return _beside_declared(declared, own, source)


def _is_of(found: Subject, asked: Subject) -> bool:
    """Whether it was found of this very snapshot and prompt. What names none was found of all of them."""
    return found.snapshot in (None, asked.snapshot) and found.fingerprint in (None, asked.fingerprint)


def _posterior(prior: float, prior_weight: float, own: _Cell, source: Source | None) -> Estimate:
    a = prior * prior_weight + own.sum
    b = (1 - prior) * prior_weight + own.weight - own.sum
    return Estimate(
        mean=a / (a + b),
        low=beta_quantile(0.05, a, b),
        high=beta_quantile(0.95, a, b),
        observations=own.weight,
        source=source,
    )


def _beside_declared(declared: float, own: _Cell, source: Source | None) -> Estimate:
    if not own.weight:
        return Estimate(mean=declared, low=declared, high=declared, observations=0.0, source="declared")
    inside = min(0.98, max(0.02, declared))
    seen = _posterior(inside, _DECLARED_WEIGHT, own, source)
    a = inside * _DECLARED_WEIGHT + own.sum
    b = (1 - inside) * _DECLARED_WEIGHT + own.weight - own.sum
    if beta_quantile(_REFUTED, a, b) < declared:
        return Estimate(
            mean=seen.mean, low=seen.low, high=seen.high, observations=own.weight, source=source, refuted=True
        )
    return Estimate(
        mean=max(declared, seen.mean),
        low=max(declared, seen.low),
        high=max(declared, seen.high),
        observations=own.weight,
        source=source if seen.low > declared else "declared",
    )
