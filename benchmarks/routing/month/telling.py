"""Runs the month under every policy and prints what came of it."""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bascule.learned.outcomes import Floats
from benchmarks.routing.month.agents import routed_nanousd, session_nanousd
from benchmarks.routing.month.cast import AGENT_MODELS, PREMIUM, Cast, cast
from benchmarks.routing.month.company import DAY_MS, MONTH_START_MS, Month, Volume, drawn
from benchmarks.routing.month.earned import Earned, Outcome
from benchmarks.routing.month.policies import (
    Kind,
    Result,
    by_learned,
    by_table,
    careful_table,
    learned,
    mixed,
    of_outcome,
    one_model,
)
from benchmarks.routing.month.purse import Purse
from benchmarks.routing.month.setting import PRODUCTS, UNCACHED, Setting

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "routing"
SMALL = Volume(developers=20, assistant_requests=100_000, question_requests=100_000)
KINDS = ("agents", "assistant", "questions")
CHEAP = {"agents": "gpt-5-mini", "assistant": "gemini-2.5-flash-lite", "questions": "gemini-2.5-flash-lite"}
_RESAMPLES = 1_000
_TIGHT = 0.2
TABLES = (0.0, 0.01, 0.02)
"""What a static table may lose on its history, of 1."""


@dataclass(frozen=True)
class Line:
    """A policy's bill and its quality, in points (right answers of 100) beside all-premium, 95 % interval."""

    name: str
    usd: float
    saved: float
    points: float
    low: float
    high: float
    by_kind: dict[str, tuple[float, float]]
    """Kind to (USD, points)."""


class Judge:
    """Compares results with all-premium: kinds count for what they cost there."""

    def __init__(self, premium: Result, seed: int) -> None:
        self._premium = premium
        total = sum([kind.usd for kind in premium.values()])
        self.weights = {name: kind.usd / total for name, kind in premium.items()}
        rng = np.random.default_rng(seed)
        self._drawn = {
            name: rng.multinomial(len(kind.asked), np.full(len(kind.asked), 1 / len(kind.asked)), _RESAMPLES)
            for name, kind in premium.items()
        }

    def line(self, name: str, result: Result, more_usd: float = 0.0) -> Line:
        """`more_usd`: what evidence cost. Which questions the data has is chance too: the interval is a bootstrap over
        them, paired with all-premium."""
        usd = sum([kind.usd for kind in result.values()]) + more_usd
        points = {kind: self._points(kind, result[kind]) for kind in result}
        draws = sum([self.weights[kind] * self._draws(kind, result[kind]) for kind in result])
        low, high = np.quantile(draws, (0.025, 0.975))
        return Line(
            name,
            usd,
            1 - usd / sum([kind.usd for kind in self._premium.values()]),
            sum([self.weights[kind] * points[kind] for kind in result]),
            float(low),
            float(high),
            {kind: (result[kind].usd, points[kind]) for kind in result},
        )

    def _points(self, name: str, kind: Kind) -> float:
        difference = kind.quality - self._premium[name].quality
        return 100 * float((difference * kind.asked).sum() / max(1, kind.asked.sum()))

    def _draws(self, name: str, kind: Kind) -> Floats:
        difference = kind.quality - self._premium[name].quality
        drawn = self._drawn[name]
        return np.asarray(100 * (drawn @ (difference * kind.asked)) / np.maximum(drawn @ kind.asked, 1))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.routing.month")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--small", action="store_true", help="a company of 20")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(arguments)
    begun = time.monotonic()
    told = run(args.data, SMALL if args.small else Volume(), args.seed)
    print(f"\n{time.monotonic() - begun:.0f} s, seed {args.seed}")
    if args.json:
        print(json.dumps(told))
    return 1 if told["overspent_usd"] else 0


def run(data: Path, volume: Volume, seed: int) -> dict[str, Any]:
    """Prints as it goes; returns the figures. Raises BadOutcomes."""
    who = cast(data, MONTH_START_MS, seed)
    first = drawn(who, volume, seed)
    second = drawn(who, volume, seed + 1, MONTH_START_MS + 30 * DAY_MS)
    setting = Setting(who)
    _print_volume(first)
    premium = one_model(first, who, dict.fromkeys(KINDS, PREMIUM))
    judge = Judge(premium, seed)
    lines = [judge.line("all premium", premium), judge.line("all cheapest", one_model(first, who, CHEAP))]
    earning = Earned(who, setting)
    purse = Purse(round(sum([kind.usd for kind in premium.values()]) * 1e9))
    outcome = earning.month(first, purse)
    earned = of_outcome(first, who, outcome)
    lines.append(judge.line("earned, its first month", earned, outcome.evidence_nanousd / 1e9))
    again = one_model(second, who, dict.fromkeys(KINDS, PREMIUM))
    later_purse = Purse(round(sum([kind.usd for kind in again.values()]) * 1e9))
    later = earning.month(second, later_purse)
    later_result, later_judge = of_outcome(second, who, later), Judge(again, seed)
    evidence_usd = later.evidence_nanousd / 1e9
    routers = {kind: learned(who.history[kind], seed) for kind in PRODUCTS}
    later_lines = [
        later_judge.line("all premium, the month after", again),
        *[
            later_judge.line(
                f"static table, may lose {lost:.0%}", by_table(second, who, _table(who, later_judge, lost))
            )
            for lost in TABLES
        ],
        later_judge.line("earned, the month after", later_result, evidence_usd),
        *[
            later_judge.line(
                f"earned, products learned at {share}",
                {**later_result, **{kind: by_learned(second, who, kind, routers[kind], share) for kind in PRODUCTS}},
                evidence_usd,
            )
            for share in ("1.0", "0.98", "0.95")
        ],
    ]
    _print_lines(lines)
    _print_lines(later_lines)
    coin = _coin(later_judge, who, second, later_lines[-1].usd)
    _print_lines([coin])
    _print_transitions(outcome, first)
    _print_transitions(later, second)
    tight = _tight(who, first, premium, seed)
    _print_sessions(who, first, setting)
    overspent = [purse.overspent_nanousd, later_purse.overspent_nanousd, tight.overspent_nanousd]
    print(
        f"\noverspent: {sum(overspent) / 1e9:.2f} USD; under a strict limit of {tight.limit_nanousd / 1e9:,.0f} USD the"
        f" bill was {tight.settled_nanousd / 1e9:,.2f} USD, and {tight.refused} of what was simulated were refused"
    )
    return {
        "lines": [vars(line) for line in [*lines, *later_lines, coin]],
        "overspent_usd": sum(overspent) / 1e9,
        "evidence_usd": [outcome.evidence_nanousd / 1e9, later.evidence_nanousd / 1e9],
        "compared": [outcome.compared, later.compared],
        "promotions": [_promotions(outcome), _promotions(later)],
    }


def _agent_model(who: Cast) -> str:
    """As history has it: the cheapest of those that are at most a point below the premium model."""
    history = who.history["assistant"]
    rows = np.array(history.labels) == "zeroeval/crux"
    quality = {model: float(history.quality[rows, history.column(model)].mean()) for model in AGENT_MODELS}
    able = [model for model in AGENT_MODELS if quality[model] >= quality[PREMIUM] - 0.01]
    return min(able, key=lambda model: who.rates[model].input or 0)


def _table(who: Cast, judge: Judge, lost: float) -> dict[str, dict[str, str]]:
    """By what history says, as if labelling all of it had been free."""
    return {**careful_table(who, judge.weights, lost), "agents": {"agent": _agent_model(who)}}


def _coin(judge: Judge, who: Cast, month: Month, usd: float) -> Line:
    """Between the dearest and the cheapest models, with the chance that makes the same bill."""
    dear, cheap = one_model(month, who, dict.fromkeys(KINDS, PREMIUM)), one_model(month, who, CHEAP)
    dear_usd, cheap_usd = [sum([kind.usd for kind in each.values()]) for each in (dear, cheap)]
    share = min(1.0, max(0.0, (dear_usd - usd) / (dear_usd - cheap_usd)))
    return judge.line("a coin flip, at the last one's bill", mixed(dear, cheap, share))


def _tight(who: Cast, month: Month, premium: Result, seed: int) -> Purse:
    limit = round(_TIGHT * sum([kind.usd for kind in premium.values()]) * 1e9)
    purse = Purse(limit)
    Earned(who, Setting(who)).month(month, purse)
    return purse


def _print_volume(month: Month) -> None:
    volume = month.volume
    turns = [len(session.turns) for session in month.sessions]
    print(
        f"{volume.developers} developers x {volume.workdays} days x {volume.sessions_per_day} sessions of"
        f" {np.mean(turns):.1f} turns (median {np.median(turns):.0f}, 1 % above {np.quantile(turns, 0.99):.0f});"
        f" {volume.assistant_requests:,} requests of an assistant, {volume.question_requests:,} questions.\n"
        f"Simulated: {len(month.sessions):,} sessions, {sum(map(len, month.requests.values())):,} requests.\n"
    )


def _print_lines(lines: list[Line]) -> None:
    for line in lines:
        kinds = "  ".join([f"{name} ${usd:,.0f} {points:+.1f}" for name, (usd, points) in line.by_kind.items()])
        print(
            f"{line.name:38} ${line.usd:>8,.0f}  {-100 * line.saved:+6.1f} %  {line.points:+5.2f} points"
            f" [{line.low:+.2f}, {line.high:+.2f}]   {kinds}",
            flush=True,
        )


def _promotions(outcome: Outcome) -> dict[str, int]:
    counts = {"promoted": 0, "demoted": 0}
    for transition in outcome.transitions:
        if transition.after in counts:
            counts[transition.after] += 1
    return counts


def _print_transitions(outcome: Outcome, month: Month) -> None:
    print(
        f"\nevidence: {outcome.compared:,} comparisons for ${outcome.evidence_nanousd / 1e9:,.0f};"
        f" {_promotions(outcome)['promoted']} promotions, {_promotions(outcome)['demoted']} demotions"
    )
    for made in outcome.transitions:
        if made.after in ("promoted", "demoted"):
            day = (made.at_ms - month.start_ms) / DAY_MS
            seen = made.evidence
            print(
                f"  day {day:4.1f}  {made.key.task:24} {made.key.challenger:22} {made.after:9}"
                f" {seen.sessions} sessions, difference {seen.difference or 0:+.3f}"
            )


def _print_sessions(who: Cast, month: Month, setting: Setting) -> None:
    """List prices say little of what an agent's session costs."""
    few, rates = month.sessions[:500], who.rates
    print(
        "\nan agent's session at cached prices, and the list price per million tokens (three of input to one of output)"
    )
    for model in (*AGENT_MODELS, UNCACHED):
        listed = (3 * (rates[model].input or 0) + (rates[model].output or 0)) / 4e6
        usd = sum([session_nanousd(model, session, rates) for session in few]) / len(few) / 1e9
        print(f"  {model:24} list ${listed:6.3f}   session ${usd:6.3f}")
    for route in ("by-list-price", "by-session"):
        made = [routed_nanousd(route, session, setting, rates) for session in few]
        usd, changes = sum([cost for cost, _ in made]) / len(few) / 1e9, sum([changed for _, changed in made])
        print(f"  routed {route:17} gpt-5.1 or {UNCACHED}: session ${usd:6.3f}, {changes} changes of model")
