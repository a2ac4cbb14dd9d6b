"""Streams of compared sessions whose truth is known, for the tests of promotion.

Every stream of the first kind is at the margin: given all before, the challenger's next session is worse by exactly the
margin on average, so that each promotion is a false one. What differs is everything else that could mislead a test.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bascule.decide.evidence.enrolment import Counted, Pair, Patience, counted
from bascule.decide.evidence.judge_error import JudgeError, Labelled, judge_error
from bascule.decide.promotion.trial import Rules, Trial, TrialKey, calibration_alpha

Floats = NDArray[np.float64]
KEY = TrialKey(route="r", task="t", incumbent="dear", challenger="cheap")


@dataclass(frozen=True)
class Stream:
    """What the test is shown of one trial, in the order in which it is shown."""

    trial: Trial
    differences: list[float]


@dataclass(frozen=True)
class World:
    """How sessions come about."""

    rules: Rules
    discordant: float = 0.25
    """Share of pairs where one answer is good and the other is not."""
    sessions: int = 2_000


def plain(world: World, mean: float, rng: np.random.Generator) -> Floats:
    """Exactly graded pairs, one to a session, each of the same chances."""
    return _signs(np.full(world.sessions, mean), np.full(world.sessions, world.discordant), rng)


def _signs(mean: Floats, discordant: Floats, rng: np.random.Generator) -> Floats:
    """Differences of -1, 0 and 1 with these means and chances of not being 0."""
    u = rng.random(mean.shape)
    better, worse = (discordant + mean) / 2, (discordant - mean) / 2
    return np.where(u < better, 1.0, np.where(u < better + worse, -1.0, 0.0))


def at_margin(world: World, rng: np.random.Generator) -> Stream:
    return exact(plain(world, -world.rules.margin, rng))


def exact(differences: Floats) -> Stream:
    return Stream(Trial(key=KEY, since_ms=0), differences.tolist())


def drifting(world: World, rng: np.random.Generator) -> Stream:
    """Always worse by the margin; but hardly any pair is discordant at times, and half of them at others."""
    at = np.arange(world.sessions) / world.sessions
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * (3 * at + rng.random()))
    least = world.rules.margin
    return exact(_signs(np.full(at.shape, -least), least + wave * (0.5 - least), rng))


def _clusters(world: World, rng: np.random.Generator) -> list[Floats]:
    """Sessions of 1 to 12 pairs that all go the same way in most sessions; long ones are the challenger's bad ones."""
    n = world.sessions
    margin = world.rules.margin
    long = rng.random(n) < 0.3
    # 0.3 * hard + 0.7 * easy is the margin: the mean over sessions, whatever their lengths.
    mean = np.where(long, -2 * margin, (-margin + 0.6 * margin) / 0.7)
    common = _signs(mean, np.full(n, 0.35), rng)
    lengths = np.where(long, rng.integers(6, 13, n), rng.integers(1, 4, n))
    found = []
    for way, length, expected in zip(common, lengths, mean, strict=True):
        own = _signs(np.full(length, expected), np.full(length, 0.35), rng)
        found.append(np.where(rng.random(length) < 0.9, way, own))
    return found


def clustered(world: World, rng: np.random.Generator) -> Stream:
    return exact(np.array([session.mean() for session in _clusters(world, rng)]))


def clustered_as_pairs(world: World, rng: np.random.Generator) -> Stream:
    """The mistake: each pair counts by itself. Sessions are of one length here, so the mean is still the margin."""
    n, length = world.sessions // 8, 8
    common = _signs(np.full(n, -world.rules.margin), np.full(n, 0.35), rng)
    return exact(np.repeat(common, length))


def _late_pairs(world: World, rng: np.random.Generator) -> list[Pair]:
    """One pair a minute. What goes against the challenger takes a day or never comes; all else comes in an hour."""
    d = plain(world, -world.rules.margin, rng)
    bad = d < 0
    minutes = np.where(bad, rng.exponential(1_440.0, d.size), rng.exponential(60.0, d.size))
    lost = rng.random(d.size) < np.where(bad, 0.05, 0.01)
    return [
        Pair(
            session_id=str(i),
            enrolled_ms=60_000 * i,
            difference=None if lost[i] else float(d[i]),
            graded_ms=None if lost[i] else int(60_000 * (i + minutes[i])),
        )
        for i in range(d.size)
    ]


def late(world: World, rng: np.random.Generator) -> Stream:
    """Counted as `decide.evidence.enrolment` counts them: when one looks makes no difference to what is seen."""
    patience = Patience(session_ms=0, outcome_ms=3 * 86_400_000)
    found = counted(_late_pairs(world, rng), 10**15, patience)
    return Stream(Trial(key=KEY, since_ms=0), [one.for_promotion for one in found])


def late_by_arrival(world: World, rng: np.random.Generator) -> Stream:
    """The mistake: outcomes count as they come."""
    pairs = [pair for pair in _late_pairs(world, rng) if pair.difference is not None]
    pairs.sort(key=lambda pair: pair.graded_ms or 0)
    end_ms = 60_000 * world.sessions
    came = [pair for pair in pairs if (pair.graded_ms or 0) < end_ms]
    return Stream(Trial(key=KEY, since_ms=0), [pair.difference or 0.0 for pair in came])


@dataclass(frozen=True)
class Judge:
    """Chances of grading an answer as good."""

    good: float = 0.93
    bad: float = 0.10
    flatters: float = 0.10
    """More of the challenger's bad answers that pass as good."""

    def differences(self, truth: Floats, rng: np.random.Generator) -> Floats:
        """What it says of pairs whose true differences are these. Of pairs that are even, two thirds are both good."""
        both_good = rng.random(truth.shape) < 2 / 3
        challenger = (truth > 0) | ((truth == 0) & both_good)
        incumbent = (truth < 0) | ((truth == 0) & both_good)
        passes = rng.random(truth.shape) < np.where(challenger, self.good, self.bad + self.flatters)
        peer = rng.random(truth.shape) < np.where(incumbent, self.good, self.bad)
        said: Floats = passes.astype(np.float64) - peer.astype(np.float64)
        return said


def calibrated(world: World, known: Floats, judge: Judge, rng: np.random.Generator) -> JudgeError:
    """From pairs whose true differences these are."""
    sample = [Labelled(j, t) for j, t in zip(judge.differences(known, rng).tolist(), known.tolist(), strict=True)]
    return judge_error(sample, calibration_alpha(world.rules))


def judged(world: World, rng: np.random.Generator, *, mean: float | None = None, labels: int = 1_000) -> Stream:
    """A judge that flatters the challenger, and a sample that tells by how much. `mean`: the truth, else the margin."""
    judge, truth = Judge(), -world.rules.margin if mean is None else mean
    error = calibrated(world, plain(replace(world, sessions=labels), truth, rng), judge, rng)
    seen = judge.differences(plain(world, truth, rng), rng)
    return Stream(Trial(key=KEY, since_ms=0, judge=error), seen.tolist())


def judged_uncorrected(world: World, rng: np.random.Generator) -> Stream:
    """The mistake: its word is taken for the truth."""
    seen = Judge().differences(plain(world, -world.rules.margin, rng), rng)
    return exact(seen)


def session(number: int, difference: float) -> Counted:
    """One observation of one pair."""
    return Counted(
        session_id=str(number),
        began_ms=number,
        pairs=1,
        missing=0,
        for_promotion=difference,
        for_demotion=difference,
    )


def endless(world: World, mean: float, rng: np.random.Generator) -> Iterator[float]:
    """Plain differences with this mean, for as long as anybody asks."""
    while True:
        yield from plain(world, mean, rng).tolist()
