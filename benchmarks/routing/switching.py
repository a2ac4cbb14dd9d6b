"""How far the verdicts of `switch-check` can be trusted, and whether the cases it asks for decide.

`python -m benchmarks.routing.switching [--draws 2000] [--json]`. It runs `bascule.offline.evaluation` itself on suites
whose truth is known: models whose quality differs by exactly the margin (every `switch` is then a mistake), by nothing
(every `keep` for quality is), and first samples that decided nothing, drawn again at the size that was asked for.
"""

import argparse
import json
import random
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass

from bascule.decide.evidence.binomial import clopper_pearson, upper_share
from bascule.offline.evaluation.paired import POWER, Difference, difference
from bascule.offline.evaluation.switching import Decided, decided

MARGIN = 0.05
ALLOWED = 0.05
TOLERANCE = 0.01
"""Newcombe's interval keeps its level on average over true shares, and not at each of them."""
CHEAPER = 0.5
SIZES = (20, 50, 200, 1_000)
Draw = Callable[[random.Random, int, float], tuple[list[float], list[float]]]


@dataclass(frozen=True)
class Line:
    name: str
    cases: int
    draws: int
    count: int
    share: float
    low: float
    high: float
    """Ends of the exact two-sided 95 % interval."""
    upper: float
    """The exact one-sided 95 % bound."""


def right_or_wrong(both: float, differ: float) -> Draw:
    """Pairs of 0 and 1: `both` right in this share of cases, in `differ` one of them alone."""

    def draw(dice: random.Random, cases: int, gap: float) -> tuple[list[float], list[float]]:
        first, second = [], []
        for _ in range(cases):
            at = dice.random()
            if at < both:
                pair = (1.0, 1.0)
            elif at < both + (differ + gap) / 2:
                pair = (1.0, 0.0)
            elif at < both + differ:
                pair = (0.0, 1.0)
            else:
                pair = (0.0, 0.0)
            first.append(pair[0])
            second.append(pair[1])
        return first, second

    return draw


def graded(dice: random.Random, cases: int, gap: float) -> tuple[list[float], list[float]]:
    """Scores in tenths, as judges give them, and a second model that is worse by `gap` on average."""
    first = [dice.choice((0.3, 0.6, 0.8, 0.9)) for _ in range(cases)]
    second = [score + dice.choice((-0.2, -0.1, 0.0, 0.0, 0.1, 0.2)) for score in first]
    return first, [score - gap for score in second]


def compared(dice: random.Random, cases: int, gap: float) -> tuple[list[float], list[float]]:
    """Won, lost or neither, as a judge compares with what was recorded."""
    won = [dice.choices((1.0, -1.0, 0.0), ((0.3 - gap) / 2, (0.3 + gap) / 2, 0.7))[0] for _ in range(cases)]
    return [0.0] * cases, won


KINDS: list[tuple[str, Draw]] = [
    ("right or wrong, 10 % differ", right_or_wrong(0.8, 0.1)),
    ("right or wrong, 30 % differ", right_or_wrong(0.5, 0.3)),
    ("scores", graded),
    ("comparisons, 30 % differ", compared),
]


def verdict(pairs: tuple[list[float], list[float]]) -> tuple[Difference, Decided]:
    found = difference(*pairs)
    assert found is not None
    return found, decided(found, margin=MARGIN, case_cost_ratio=CHEAPER, gaps=[])


def wrong(draws: int, wanted: str, gap: float) -> list[Line]:
    """How often a verdict is given that is not true."""
    lines = []
    for name, draw in KINDS:
        for cases in SIZES:
            dice = random.Random(f"{name} {cases} {wanted}")
            many = draws if cases < 1_000 else max(200, draws // 5)
            count = sum([verdict(draw(dice, cases, gap))[1].verdict == wanted for _ in range(many)])
            lines.append(line(name, cases, many, count))
    return lines


def asked_for(draws: int) -> list[Line]:
    """First samples of 50, of equal models, that decide nothing: how often as many as are asked for decide, rightly."""
    lines = []
    for name, draw in KINDS:
        dice = random.Random(f"{name} asked for")
        decides = total = sizes = 0
        for _ in range(max(50, draws // 10)):
            first = verdict(draw(dice, 50, 0.0))[1]
            if first.cases_needed is None or first.cases_needed > 50_000:
                continue
            total += 1
            sizes += first.cases_needed
            decides += verdict(draw(dice, first.cases_needed, 0.0))[1].verdict == "switch"
        lines.append(line(name, sizes // max(1, total), total, decides))
    return lines


def line(name: str, cases: int, draws: int, count: int) -> Line:
    low, high = clopper_pearson(count, draws)
    share = count / draws if draws else 0.0
    return Line(name, cases, draws, count, share, low, high, upper_share(count, draws))


def show(title: str, lines: list[Line], cases: str = "cases") -> None:
    print(f"\n{title}\n{'suite':32}{cases:>10}{'draws':>8}{'share':>9}   95 % interval     95 % bound")
    for one in lines:
        interval = f"{one.low:.4f} to {one.high:.4f}"
        print(f"{one.name:32}{one.cases:>10,}{one.draws:>8,}{one.share:>9.4f}   {interval}   {one.upper:.4f}")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=2_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    switched = wrong(given.draws, "switch", MARGIN)
    kept = wrong(given.draws, "keep", MARGIN)
    enough = asked_for(given.draws)
    if given.json:
        told = {"false_switch": switched, "false_keep": kept, "asked_for_decides": enough}
        print(json.dumps({name: [asdict(one) for one in lines] for name, lines in told.items()}, indent=2))
    else:
        show(f"FALSE SWITCH: worse by exactly the margin of {MARGIN} ({ALLOWED:g} allowed)", switched)
        show(f"FALSE KEEP: worse by exactly the margin, and not by more ({ALLOWED:g} allowed)", kept)
        show("ASKED FOR: equal models; 50 cases decided nothing, as many as were asked for do", enough, "on average")
    proved_wrong = any(one.low > ALLOWED + TOLERANCE for one in (*switched, *kept))
    proved_few = any(one.high < POWER for one in enough)
    return int(proved_wrong or proved_few)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
