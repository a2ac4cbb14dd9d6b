"""What the learned router is worth on outcomes of real models, on prompts that it was not trained on.

`python -m benchmarks.routing.router [--data DIR] [--sets a,b] [--quick] [--json]`. Five-fold cross-validation by what
`bascule router train` itself does, grouped by prompt text, operating points chosen inside the fold; then sets on which
a router can only do harm, a learning curve, a task that training did not have, and the time of a decision. Exit 1
where a figure that must be reached is not.
"""

import argparse
import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from bascule.cli.progress import counting
from bascule.learned.embedder import Embedder
from bascule.learned.evaluating import evaluated, timed
from bascule.learned.features import Seen, see
from bascule.learned.outcomes import Ints, Outcomes
from bascule.learned.training import trained
from benchmarks.routing import thin
from benchmarks.routing.crossfit import FOLDS, crossfitted, read
from benchmarks.routing.figures import Figure, PairFigures, SetFigures, best_single, figures, pair_figures

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "routing"
SETS = ("zeroeval", "mmlupro", "routellm_pair")
MUST: dict[str, tuple[float, float]] = {
    "zeroeval gain": (0.016, 0.034),
    "zeroeval cost@0.98": (0.35, 0.15),
    "zeroeval cost@1.0": (0.60, 0.30),
    "mmlupro gain": (0.024, 0.040),
    "mmlupro cost@0.98": (0.35, 0.18),
    "mmlupro cost@1.0": (0.58, 0.35),
    "routellm_pair MMLU APGR": (0.68, 0.72),
    "routellm_pair GSM8K APGR": (0.57, 0.67),
    "thin gain": (-0.002, 0.0),
    "decision p99 ms": (2.0, 0.7),
}
"""What must be reached, and what is aimed at."""
_AT_MOST = ("cost@", "ms")
CURVE = (100, 500, 2_000)


class Report:
    """Prints figures as they come, beside what they must be."""

    def __init__(self) -> None:
        self.figures: dict[str, Any] = {}
        self.missed: list[str] = []

    def say(self, name: str, figure: Figure, note: str = "", *, digits: int = 4) -> None:
        """`name` as in MUST, or one that must be nothing."""
        self.figures[name] = dataclasses.asdict(figure)
        judged = self._judged(name, figure.value) if name in MUST else ""
        between = f"[{_number(figure.low, digits)}, {_number(figure.high, digits)}]"
        print(f"  {name:44} {_number(figure.value, digits):>9}  {between:22} {judged}{note}", flush=True)

    def _judged(self, name: str, value: float | None) -> str:
        must, aim = MUST[name]
        lower = any(part in name for part in _AT_MOST)
        reached, aimed = [value is not None and (value <= each if lower else value >= each) for each in (must, aim)]
        if not reached:
            self.missed.append(name)
        return f"must {must:g} {'yes' if reached else 'NO'}, aim {aim:g} {'yes' if aimed else 'no'}"


def _number(value: float | None, digits: int) -> str:
    return "never" if value is None else f"{value:.{digits}f}"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.routing.router", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="cross-validation and the time of a decision only")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(arguments)
    report = Report()
    begun = time.monotonic()
    for name in args.sets.split(","):
        found, seen = read(args.data, name)
        _cross_validated(report, found, seen, args.seed)
        if not args.quick and name == "mmlupro":
            _learning_curve(report, found, seen, args.seed)
            _unseen_tasks(report, found, seen, args.seed)
            _nearly_tied(report, found, seen, args.seed)
        if name == "mmlupro":
            _decision(report, found, seen, args.seed)
    if not args.quick:
        _made_up(report, args.seed)
    print(f"\n{time.monotonic() - begun:.0f} s")
    if args.json:
        print(json.dumps(report.figures))
    if report.missed:
        print(f"not reached: {', '.join(report.missed)}")
    return 1 if report.missed else 0


def _cross_validated(report: Report, found: Outcomes, seen: Seen, seed: int) -> None:
    name = found.questions.name
    print(f"\n{name}: {len(seen)} prompts, {len(found.questions.models)} models, best alone {best_single(found)}")
    with counting(f"{name}, folds") as tell:
        done = 0

        def step() -> None:
            nonlocal done
            done += 1
            tell(done, FOLDS)

        made = crossfitted(found, seen, seed, step)
    print(f"  policies of the folds: {', '.join(made.kinds)}")
    if len(found.questions.models) == 2:
        labels = np.array(found.questions.labels)
        maths = np.array(["gsm8k" in label.lower() for label in labels])
        _pair(report, f"{name} MMLU", pair_figures(made, ~maths))
        _pair(report, f"{name} GSM8K", pair_figures(made, maths))
    _of_set(report, name, figures(made))


def _of_set(report: Report, name: str, told: SetFigures) -> None:
    print(f"  AIQ of the zero router {told.zero_aiq:.4f}, of an oracle {told.oracle_aiq:.4f}")
    report.say(f"{name} gain", told.gain)
    report.say(f"{name} of the way to the oracle", told.closed)
    for reference, figure in told.references.items():
        report.say(f"{name} gain of {reference}", figure)
    for share, figure in told.cost_at.items():
        report.say(f"{name} cost@{share}", figure, f"  (no routing {_number(told.zero_cost_at[share].value, 3)})")
    for share, (quality, cost) in told.chosen.items():
        report.say(f"{name} chosen for {share}: quality", quality)
        report.say(f"{name} chosen for {share}: cost", cost)


def _pair(report: Report, name: str, told: PairFigures) -> None:
    report.say(f"{name} APGR", told.apgr, f"  ({told.prompts} prompts)")
    report.say(f"{name} CPT50", told.cpt50)
    report.say(f"{name} CPT80", told.cpt80)


def _held_out(report: Report, name: str, found: Outcomes, seen: Seen, inside: Ints, outside: Ints, seed: int) -> None:
    made = trained(found.only(inside), seen.only(inside), seed)
    told = evaluated(made, found.only(outside), seen.only(outside))
    report.say(name, Figure(told.gain, told.gain_low, told.gain_high), f"policy: {told.kind}")


def _learning_curve(report: Report, found: Outcomes, seen: Seen, seed: int) -> None:
    print("\nlearning curve: gain on the prompts that were kept out, by how many were trained on")
    order = np.random.default_rng(seed).permutation(len(seen))
    outside = order[max(CURVE) :]
    for count in CURVE:
        _held_out(report, f"{found.questions.name}, {count} prompts", found, seen, order[:count], outside, seed)


def _unseen_tasks(report: Report, found: Outcomes, seen: Seen, seed: int) -> None:
    print("\ntasks that training did not have: gain on them")
    labels = np.array(seen.labels)
    for label in sorted(set(seen.labels))[:: max(1, len(set(seen.labels)) // 3)][:3]:
        inside, outside = np.flatnonzero(labels != label), np.flatnonzero(labels == label)
        few = inside[np.random.default_rng(seed).permutation(len(inside))[:2_000]]
        _held_out(report, f"{found.questions.name} without {label}", found, seen, few, outside, seed)


def _nearly_tied(report: Report, found: Outcomes, seen: Seen, seed: int) -> None:
    tied, rows = thin.nearly_tied(found, 1_000, 0.05, seed)
    print("\nlittle evidence, models nearly tied")
    told = figures(crossfitted(tied, seen.only(rows), seed))
    report.say(tied.questions.name[:44], told.gain)


def _made_up(report: Report, seed: int) -> None:
    found = thin.made_up(1_000, 40, seed)
    questions = found.questions
    print("\n1,000 prompts, 40 models that are nearly tied, nothing to be learned")
    made = crossfitted(found, see(questions.prompts, questions.labels, Embedder()), seed)
    print(f"  policies of the folds: {', '.join(made.kinds)}")
    report.say("thin gain", figures(made).gain)


def _decision(report: Report, found: Outcomes, seen: Seen, seed: int) -> None:
    print("\nprocessor time of one decision: reading the prompt, predicting every way to answer, choosing")
    made = trained(found, seen, seed)
    p50, p99 = timed(made.policy, found.questions, Embedder())
    report.say("decision p50 ms", Figure(p50, None, None), f"{len(made.policy.ways)} ways", digits=3)
    report.say("decision p99 ms", Figure(p99, None, None), f"  {len(seen)} prompts trained on", digits=3)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
