"""How far the tests of promotion and demotion can be trusted, and how fast they are.

`python -m benchmarks.routing.evidence [--streams 2000] [--json]`. It runs `bascule.decide` itself, one observation at a
time, on streams whose truth is known (`streams.py`). Rows marked `mistake` leave a precaution out: they show that this
benchmark sees what the precaution is for.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import islice

import numpy as np

from bascule.decide.evidence.betting import Capital, observed
from bascule.decide.evidence.binomial import clopper_pearson, upper_share
from bascule.decide.evidence.detector import Alarm, Watch, watched
from bascule.decide.promotion.step import stepped
from bascule.decide.promotion.trial import Rules, Trial, bets_of, threshold, with_session
from benchmarks.routing import streams
from benchmarks.routing.streams import Stream, World

RULES = Rules()
JUDGED_RULES = Rules(margin=0.10)
"""A judge that is wrong in a tenth of all answers needs more room than 0.05, or several thousand labels."""

JUDGE_LABELS = (1_000, 4_000)


@dataclass(frozen=True)
class FalsePromotions:
    name: str
    margin: float
    alpha: float
    streams: int
    looks: int
    """In each stream at most."""
    promoted: int
    share: float
    low: float
    high: float
    """Ends of the exact two-sided 95 % interval."""
    upper: float
    """The exact one-sided 95 % upper bound."""
    mistake: bool

    @property
    def holds(self) -> bool:
        return self.upper <= self.alpha + 0.01


Maker = Callable[[World, np.random.Generator], Stream]
AT_MARGIN: list[tuple[str, Maker, Rules, bool]] = [
    ("exact grades", streams.at_margin, RULES, False),
    ("judge that flatters, calibrated", streams.judged, JUDGED_RULES, False),
    ("spread that drifts, cheap at times", streams.drifting, RULES, False),
    ("sessions of like pairs", streams.clustered, RULES, False),
    ("late outcomes, bad ones later or lost", streams.late, RULES, False),
    ("judge's word taken for truth", streams.judged_uncorrected, JUDGED_RULES, True),
    ("each pair of a session counted", streams.clustered_as_pairs, RULES, True),
    ("outcomes counted as they come", streams.late_by_arrival, RULES, True),
]


def false_promotions(seed: int, count: int, looks: int) -> list[FalsePromotions]:
    """Of challengers that are worse by the margin, with a look after every session."""
    found = []
    for number, (name, make, rules, mistake) in enumerate(AT_MARGIN):
        rng = np.random.default_rng([seed, number])
        world = World(rules=rules, sessions=looks)
        promoted = sum([is_promoted(make(world, rng), rules) for _ in range(count)])
        low, high = clopper_pearson(promoted, count)
        found.append(
            FalsePromotions(
                name=name,
                margin=rules.margin,
                alpha=rules.alpha,
                streams=count,
                looks=looks,
                promoted=promoted,
                share=promoted / count,
                low=low,
                high=high,
                upper=upper_share(promoted, count),
                mistake=mistake,
            )
        )
    return found


def is_promoted(stream: Stream, rules: Rules) -> bool:
    return promoted_after(stream, rules) is not None


def promoted_after(stream: Stream, rules: Rules) -> int | None:
    """Sessions until the test is passed; None: it is not."""
    capital, bets, enough = Capital(), bets_of(stream.trial, rules), threshold(stream.trial, rules)
    for difference in stream.differences:
        capital = observed(capital, difference, bets)
        if capital.e_value >= enough:
            return capital.count
    return None


def served_after(stream: Stream, rules: Rules) -> int | None:
    """Sessions until it gets a share of the traffic, with all that its states ask for besides the test."""
    trial = stream.trial
    for at, difference in enumerate(stream.differences):
        trial, transition = stepped(with_session(trial, streams.session(at, difference), rules), rules, at)
        if transition is not None:
            return trial.capital.count if transition.after == "canary" else None
    return None


@dataclass(frozen=True)
class Speed:
    """Sessions until a decision, against the log-optimal test that knows the truth."""

    name: str
    margin: float
    discordant: float
    truth: float
    alpha: float
    optimal: float
    """ln(1/alpha)/KL, with the smallest divergence from the truth to anything the null allows."""
    sessions: float
    """Mean."""
    low: float
    high: float
    """Ends of its 95 % interval."""
    ratio: float
    ratio_high: float
    undecided: int
    """Of the streams, at twelve times the optimum, at which they are counted."""


def divergence(better: float, worse: float, null: float) -> float:
    """The least Kullback-Leibler divergence, in nats, from differences of 1, -1 (with these chances) and 0 to any
    distribution on [-1, 1] whose mean is at most `null`: the best expected log growth of a stake that knows the truth
    (Honda and Takemura, COLT 2010). By golden-section search of a concave function."""
    even = 1.0 - better - worse

    def growth(stake: float) -> float:
        return (
            better * math.log1p(stake * (1 - null))
            + worse * math.log1p(-stake * (1 + null))
            + even * math.log1p(-stake * null)
        )

    low, high, golden = 0.0, (1 - 1e-12) / (1 + null), (math.sqrt(5) - 1) / 2
    for _ in range(200):
        first, second = high - golden * (high - low), low + golden * (high - low)
        low, high = (first, high) if growth(first) < growth(second) else (low, second)
    return growth((low + high) / 2)


PROMOTIONS = [(0.05, 0.10), (0.05, 0.25), (0.05, 0.40), (0.03, 0.15), (0.10, 0.30)]
"""(margin, share of discordant pairs) of challengers that are as good as their incumbents."""
DEMOTIONS = [(0.05, 0.25, -0.15), (0.05, 0.30, -0.20), (0.05, 0.40, -0.30), (0.03, 0.20, -0.10), (0.10, 0.40, -0.30)]
"""(margin, share of discordant pairs, mean) once the challenger has turned bad."""
GOOD_BEFORE = 500
"""Sessions for which it was as good as its incumbent."""
_CUT = 12


def promotion_speeds(seed: int, count: int) -> list[Speed]:
    found = []
    for number, (margin, discordant) in enumerate(PROMOTIONS):
        rng = np.random.default_rng([seed, 100 + number])
        rules = Rules(margin=margin)
        half = discordant / 2
        optimal = math.log(1 / rules.alpha) / divergence(half, half, -margin)
        world = World(rules=rules, discordant=discordant, sessions=math.ceil(_CUT * optimal))
        taken = [served_after(streams.exact(streams.plain(world, 0.0, rng)), rules) for _ in range(count)]
        found.append(_speed("promote an equal", world, 0.0, rules.alpha, optimal, taken))
    return found


def judged_speed(seed: int, count: int, labels: int) -> Speed:
    """An equal challenger under a calibrated judge, against a test that knows the judge's error exactly."""
    rng, rules, judge = np.random.default_rng([seed, 150]), JUDGED_RULES, streams.Judge()
    half = 0.125
    truth = np.concatenate([np.ones(125_000), -np.ones(125_000), np.zeros(750_000)])
    seen = judge.differences(truth, rng)
    better, worse = float((seen > 0).mean()), float((seen < 0).mean())
    bias = better - worse  # the truth's mean is 0
    optimal = math.log(1 / rules.alpha) / divergence(better, worse, -rules.margin + bias)
    world = World(rules=rules, discordant=2 * half, sessions=math.ceil(_CUT * optimal))
    taken = [served_after(streams.judged(world, rng, mean=0.0, labels=labels), rules) for _ in range(count)]
    return _speed(f"by a judge, {labels} labels", world, 0.0, rules.alpha, optimal, taken)


@dataclass(frozen=True)
class Fallen:
    """Challengers that were equal, and turned bad while they were still being compared."""

    streams: int
    before: int
    """Sessions for which they were equal."""
    truth: float
    promoted_before: int
    promoted_after: int
    demoted_after: int
    """Without having been promoted."""


def fallen(seed: int, count: int, sessions: int) -> Fallen:
    """What the states do with it; no test can promise alpha here, since what was true has changed."""
    rng, truth, ends = np.random.default_rng([seed, 400]), -3 * RULES.margin, []
    for _ in range(count):
        trial = Trial(key=streams.KEY, since_ms=0)
        good = streams.plain(World(rules=RULES, sessions=GOOD_BEFORE), 0.0, rng)
        bad = streams.plain(World(rules=RULES, sessions=sessions), truth, rng)
        for at, difference in enumerate(np.concatenate([good, bad]).tolist()):
            trial = with_session(trial, streams.session(at, difference), RULES)
            trial, transition = stepped(trial, RULES, at)
            if transition is not None:
                ends.append((at < GOOD_BEFORE, transition.after))
                break
    return Fallen(
        streams=count,
        before=GOOD_BEFORE,
        truth=truth,
        promoted_before=ends.count((True, "canary")),
        promoted_after=ends.count((False, "canary")),
        demoted_after=ends.count((False, "demoted")),
    )


def demotion_speeds(seed: int, count: int) -> list[Speed]:
    """Against the optimum at the rules' alpha, though alarms are kept rarer than that."""
    found = []
    for number, (margin, discordant, truth) in enumerate(DEMOTIONS):
        rng = np.random.default_rng([seed, 200 + number])
        rules = Rules(margin=margin)
        better, worse = (discordant + truth) / 2, (discordant - truth) / 2
        optimal = math.log(1 / rules.alpha) / divergence(worse, better, margin)
        world = World(rules=rules, discordant=discordant, sessions=math.ceil(_CUT * optimal))
        taken = [_demoted_after(world, truth, rng) for _ in range(count)]
        found.append(_speed(f"demote one at {truth:+.2f}", world, truth, rules.alpha, optimal, taken))
    return found


def _demoted_after(world: World, truth: float, rng: np.random.Generator) -> int | None:
    """Sessions from its turning bad to the alarm; a stream with a false alarm before is drawn again."""
    watch, at = Watch(-world.rules.margin), world.rules.false_alarm_sessions
    while True:
        alarm = Alarm()
        for difference in islice(streams.endless(world, 0.0, rng), GOOD_BEFORE):
            alarm = watched(alarm, difference, watch)
            if alarm.level >= at:
                break
        else:
            break
    for after, difference in enumerate(islice(streams.endless(world, truth, rng), world.sessions), 1):
        alarm = watched(alarm, difference, watch)
        if alarm.level >= at:
            return after
    return None


def _speed(name: str, world: World, truth: float, alpha: float, optimal: float, taken: list[int | None]) -> Speed:
    sessions = np.array([world.sessions if one is None else one for one in taken], dtype=float)
    mean, reach = float(sessions.mean()), 1.96 * float(sessions.std(ddof=1)) / math.sqrt(len(sessions))
    return Speed(
        name=name,
        margin=world.rules.margin,
        discordant=world.discordant,
        truth=truth,
        alpha=alpha,
        optimal=optimal,
        sessions=mean,
        low=mean - reach,
        high=mean + reach,
        ratio=mean / optimal,
        ratio_high=(mean + reach) / optimal,
        undecided=taken.count(None),
    )


@dataclass(frozen=True)
class FalseDemotions:
    truth: float
    streams: int
    sessions: int
    demoted: int
    low: float
    high: float


def false_demotions(seed: int, count: int, sessions: int) -> list[FalseDemotions]:
    """Of challengers that stay as good as the incumbent, or half a margin worse, while they are watched."""
    found = []
    for number, truth in enumerate((0.0, -RULES.margin / 2)):
        rng = np.random.default_rng([seed, 300 + number])
        world = World(rules=RULES, sessions=sessions)
        demoted = sum([_is_demoted(streams.plain(world, truth, rng).tolist()) for _ in range(count)])
        low, high = clopper_pearson(demoted, count)
        found.append(FalseDemotions(truth=truth, streams=count, sessions=sessions, demoted=demoted, low=low, high=high))
    return found


def _is_demoted(differences: list[float]) -> bool:
    alarm, watch, at = Alarm(), Watch(-RULES.margin), RULES.false_alarm_sessions
    for difference in differences:
        alarm = watched(alarm, difference, watch)
        if alarm.level >= at:
            return True
    return False


def main(arguments: list[str]) -> int:
    """Print the figures. 1 where a bound that must hold does not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.routing.evidence", description=__doc__)
    parser.add_argument("--streams", type=int, default=2_000)
    parser.add_argument("--looks", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    speed_streams = max(50, given.streams // 5)
    at_margin = false_promotions(given.seed, given.streams, given.looks)
    speeds = promotion_speeds(given.seed, speed_streams)
    speeds += demotion_speeds(given.seed, speed_streams)
    slow = [judged_speed(given.seed, speed_streams, labels) for labels in JUDGE_LABELS]
    turned = fallen(given.seed, speed_streams, given.looks)
    kept = false_demotions(given.seed, max(50, given.streams // 4), given.looks)
    if given.json:
        document = {
            "false_promotions": [{**asdict(one), "holds": one.holds} for one in at_margin],
            "speed": [asdict(one) for one in speeds],
            "speed_judged": [asdict(one) for one in slow],
            "fallen_before_promotion": asdict(turned),
            "false_demotions": [asdict(one) for one in kept],
        }
        print(json.dumps(document, indent=2))
    else:
        _print(at_margin, [*speeds, *slow], turned, kept)
    right = all(one.holds != one.mistake for one in at_margin) and all(one.ratio_high <= 3.0 for one in speeds)
    return 0 if right else 1


def _print(at_margin: list[FalsePromotions], speeds: list[Speed], turned: Fallen, kept: list[FalseDemotions]) -> None:
    print("False promotions of a challenger that is worse by the margin, a look after every session")
    print(f"  {'':40} {'margin':>6} {'alpha':>6} {'promoted':>12} {'share':>7} {'95 % interval':>17} {'upper':>7}")
    for one in at_margin:
        word = "" if not one.mistake else " (mistake)"
        print(
            f"  {one.name + word:40} {one.margin:6.2f} {one.alpha:6.2f} {one.promoted:5} of {one.streams:<4}"
            f" {one.share:6.1%} {one.low:8.1%} -{one.high:7.1%} {one.upper:7.2%}"
            f" {'holds' if one.holds else 'fails'} alpha + 1 %"
        )
    print("\nSessions to a decision, against ln(1/alpha)/KL")
    print(f"  {'':24} {'margin':>6} {'discordant':>10} {'alpha':>6} {'optimal':>8} {'mean':>8} {'ratio (95 %)':>16}")
    for row in speeds:
        cut = f" {row.undecided} undecided" if row.undecided else ""
        print(
            f"  {row.name:24} {row.margin:6.2f} {row.discordant:10.2f} {row.alpha:6.3f} {row.optimal:8.0f}"
            f" {row.sessions:8.0f} {row.ratio:6.2f} <= {row.ratio_high:5.2f}{cut}"
        )
    print(
        f"\nTurned bad ({turned.truth:+.2f}) after {turned.before} sessions in the shadow: of {turned.streams},"
        f" {turned.promoted_before} were promoted before, {turned.promoted_after} after, {turned.demoted_after} demoted"
    )
    print(
        f"\nFalse demotions while watched, margin {RULES.margin}, an alarm at a level of {RULES.false_alarm_sessions}"
    )
    for each in kept:
        print(
            f"  true difference {each.truth:+.3f}: {each.demoted} of {each.streams} within {each.sessions} sessions"
            f" ({each.low:.1%} - {each.high:.1%})"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
