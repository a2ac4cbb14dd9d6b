"""`python -m benchmarks.availability`: the share of requests that are answered while providers fail and recover.

Virtual months: two independent providers, each up for 99.9 % of the time, and a client that sends a request a second.
What to do next is said by the gateway's own decisions (`decide.attempt`, breakers, retry budgets); only the providers
and the time are made up. Outages come and go exponentially, and are of three kinds:

errors   answers 500 at once; what runs goes on to its end
refused  no connection; what runs is cut
silent   takes requests and says nothing; what runs falls silent too

Stretches in which every provider is up and every breaker closed are counted and not run: there the first attempt
answers. A test compares that with running them.
"""

import argparse
import json
import logging
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import inf

from msgspec import structs

from bascule.decide.attempt import Accept, AttemptLimits, GiveUp, Start, Wait, next_step
from bascule.decide.breaker import BreakerPolicy
from bascule.decide.outlier import OutlierPolicy
from bascule.decide.retry_budget import RetryBudgetPolicy
from bascule.gateway.retry_budgets import RetryBudgets
from bascule.gateway.wellbeing import Wellbeing
from bascule.model.catalog import Endpoint
from bascule.model.outcome import AttemptRecord, Fault
from bascule.model.plan import Candidate, Plan
from benchmarks.outages import FIRST_BYTE_S, LENGTH_S, Ending, Provider, Shape, both_down_s, drawn

MONTH_S = 30 * 86_400.0

PATIENCE_S = 600.0
"""The official SDKs' default."""
PROMPT_S = 15.0

SDK_RETRIES, SDK_PAUSE_S = 2, 0.75
MARGIN_S = 60.0
"""Before an outage, which is run too: what was sent before that has ended, and breakers know what is usual."""


@dataclass
class Tally:
    requests: int = 0
    answered: int = 0
    promptly: int = 0
    attempts: int = 0

    def add(self, *, answered: bool, prompt: bool) -> None:
        self.requests += 1
        self.answered += answered
        self.promptly += answered and prompt

    def well(self, count: int) -> None:
        """Requests that were answered by their first attempt."""
        self.requests += count
        self.answered += count
        self.promptly += count
        self.attempts += count


@dataclass
class Simulation:
    """A gateway's decisions about requests to these providers, event by event."""

    providers: Sequence[Provider]
    shape: Shape
    hedge_after_s: float | None = None
    dice: random.Random = field(default_factory=lambda: random.Random(5))

    def __post_init__(self) -> None:
        self.wellbeing = Wellbeing(BreakerPolicy(), OutlierPolicy())
        self.budgets = RetryBudgets(RetryBudgetPolicy())
        self.tally = Tally()
        self.now_s = 0.0
        self.doomed = 0
        """Attempts on their way that will fail."""
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self.plan = Plan(
            candidates=tuple(
                [
                    Candidate(
                        model="m",
                        reason="",
                        endpoint=Endpoint(id=f"p{at}/m", provider=f"p{at}", dialect="openai_chat", upstream_model="m"),
                    )
                    for at in range(len(self.providers))
                ]
            )
        )

    def at(self, when_s: float, what: Callable[[], None]) -> None:
        self._count += 1
        heappush(self._events, (when_s, self._count, what))

    def run_until(self, when_s: float) -> None:
        """Let everything happen that is due by then."""
        while self._events and self._events[0][0] <= when_s:
            self.now_s, _, what = heappop(self._events)
            what()
        if when_s != inf:
            self.now_s = when_s

    @property
    def is_well(self) -> bool:
        return self.doomed == 0 and not self.wellbeing.statuses(self.now_s)


class Request:
    """One request on its way; what is next is `next_step`'s to say."""

    def __init__(self, simulation: Simulation) -> None:
        self._sim = simulation
        self._began_s = simulation.now_s
        self._dice = simulation.dice.random()
        self._limits = AttemptLimits(
            max_attempts=3,
            retry_after_cap_s=60.0,
            deadline_s=self._began_s + PATIENCE_S,
            hedge_after_s=simulation.hedge_after_s,
        )
        self._history: list[AttemptRecord] = []
        self._content_s: float | None = None
        self._over = False
        self._advance()

    def _advance(self) -> None:
        sim = self._sim
        while not self._over:
            tried = {sim.plan.candidates[record.candidate].endpoint.id for record in self._history}
            step = next_step(
                sim.plan,
                self._history,
                now_s=sim.now_s,
                dice=self._dice,
                limits=self._limits,
                health=sim.wellbeing.statuses(sim.now_s),
                spent=sim.budgets.spent(tried, sim.now_s),
            )
            match step:
                case Start():
                    self._start(step)
                case Wait():
                    if step.until_s != inf:
                        sim.at(step.until_s, self._advance)
                    return
                case Accept():
                    self._end(answered=True)
                case GiveUp():
                    self._end(answered=False)

    def _start(self, step: Start) -> None:
        sim, at, now_s = self._sim, len(self._history), self._sim.now_s
        endpoint = sim.plan.candidates[step.candidate].endpoint
        again = any(record.candidate == step.candidate for record in self._history)
        (sim.budgets.again if again else sim.budgets.first)(endpoint.id, now_s)
        sim.wellbeing.begin(endpoint, 0, now_s)
        sim.tally.attempts += 1
        self._history.append(
            AttemptRecord(attempt_no=at + 1, candidate=step.candidate, hedge=step.hedge, started_s=now_s)
        )
        ending = sim.providers[step.candidate].attempt(now_s, sim.shape)
        if ending.content_s is not None and sim.shape == "stream":
            sim.at(ending.content_s, lambda: self._content(at))
        sim.doomed += ending.error_class is not None
        sim.at(ending.at_s, lambda: self._ended(at, ending))

    def _content(self, at: int) -> None:
        record = self._history[at]
        if record.ended_s is not None:
            return  # another was faster
        self._history[at] = structs.replace(record, content_forwarded=True)
        self._content_s = self._sim.now_s
        self._observe(at, None)
        self._cancel_others(at)

    def _ended(self, at: int, ending: Ending) -> None:
        self._sim.doomed -= ending.error_class is not None
        record = self._history[at]
        if record.ended_s is not None:
            return
        fault = None
        if ending.error_class is not None:
            fault = Fault(error_class=ending.error_class, message="", maybe_billed=True)
        self._history[at] = structs.replace(record, ended_s=self._sim.now_s, fault=fault)
        self._observe(at, fault)
        if fault is None:
            if self._content_s is None:
                self._content_s = self._sim.now_s
            self._cancel_others(at)
        self._advance()

    def _cancel_others(self, winner: int) -> None:
        for at, record in enumerate(self._history):
            if at != winner and record.ended_s is None:
                fault = Fault(error_class="cancelled", message="")
                self._history[at] = structs.replace(record, ended_s=self._sim.now_s, fault=fault)
                self._observe(at, fault)
                candidate = self._sim.plan.candidates[record.candidate]
                self._sim.wellbeing.overtaken(candidate, 0, began_s=record.started_s, now_s=self._sim.now_s)

    def _observe(self, at: int, fault: Fault | None) -> None:
        record = self._history[at]
        candidate, now_s = self._sim.plan.candidates[record.candidate], self._sim.now_s
        self._sim.wellbeing.observe(candidate.endpoint, 0, fault, began_s=record.started_s, now_s=now_s)
        first_s = now_s - record.started_s if record.content_forwarded and record.ended_s is None else None
        self._sim.wellbeing.compare(candidate, fault, first_s, now_s)

    def _end(self, *, answered: bool) -> None:
        self._over = True
        waited_s = (self._content_s or self._sim.now_s) - self._began_s
        limit_s = PROMPT_S if self._sim.shape == "stream" else PROMPT_S + LENGTH_S
        self._sim.tally.add(answered=answered and waited_s <= PATIENCE_S, prompt=waited_s <= limit_s)


def through_bascule(
    providers: Sequence[Provider],
    seconds: float,
    shape: Shape,
    *,
    hedge_after_s: float | None = None,
    every_s: float = 1.0,
    skip: bool = True,
) -> Tally:
    """The requests of so many seconds, one every `every_s`. Without `skip` the good times are run too."""
    sim = Simulation(providers, shape, hedge_after_s)
    trouble = sorted([(outage.begin_s - MARGIN_S, outage.end_s) for one in providers for outage in one.outages])
    number, last = 0, int(seconds / every_s)
    place = 0
    while number < last:
        now_s = number * every_s
        while place < len(trouble) and trouble[place][1] <= now_s:
            place += 1
        near = place < len(trouble) and trouble[place][0] <= now_s
        sim.run_until(now_s)
        if skip and not near and sim.is_well:
            until_s = trouble[place][0] if place < len(trouble) else seconds
            count = max(1, min(last, int(until_s / every_s) + 1) - number)
            sim.tally.well(count)
            number += count
            continue
        Request(sim)
        number += 1
    sim.run_until(inf)
    return sim.tally


def directly(provider: Provider, seconds: float, shape: Shape, *, every_s: float = 1.0) -> Tally:
    """The same client at one provider, with the official SDKs' two retries."""
    tally = Tally()
    number, last, place = 0, int(seconds / every_s), 0
    outages = provider.outages
    while number < last:
        now_s = number * every_s
        while place < len(outages) and outages[place].end_s <= now_s:
            place += 1
        if place == len(outages) or now_s < outages[place].begin_s - MARGIN_S:
            until_s = seconds if place == len(outages) else outages[place].begin_s - MARGIN_S
            count = max(1, min(last, int(until_s / every_s) + 1) - number)
            tally.well(count)
            number += count
            continue
        at_s, ending = now_s, None
        for _ in range(SDK_RETRIES + 1):
            ending = provider.attempt(at_s, shape)
            tally.attempts += 1
            if ending.error_class is None or (shape == "stream" and ending.content_s is not None):
                break
            at_s = ending.at_s + SDK_PAUSE_S
        assert ending is not None
        came_s = (ending.content_s if shape == "stream" else ending.at_s) or inf
        limit_s = PROMPT_S if shape == "stream" else PROMPT_S + LENGTH_S
        answered = ending.error_class is None and came_s - now_s <= PATIENCE_S
        tally.add(answered=answered, prompt=came_s - now_s <= limit_s)
        number += 1
    return tally


def nines(share: float) -> str:
    return f"{100 * share:.5f} %"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; status 0."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--months", type=float, default=1.0, help="of virtual time")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    logging.getLogger("bascule.wellbeing").setLevel(logging.ERROR)  # an outage a line is too many
    dice = random.Random(chosen.seed)
    seconds = chosen.months * MONTH_S
    providers = [drawn(dice, seconds), drawn(dice, seconds)]
    found: dict[str, Tally] = {}
    for shape in FIRST_BYTE_S:
        one: Shape = "stream" if shape == "stream" else "whole"
        found[f"{shape}: one provider, directly, SDK's retries"] = directly(providers[0], seconds, one)
        found[f"{shape}: one provider, through Bascule"] = through_bascule(providers[:1], seconds, one)
        found[f"{shape}: two providers, through Bascule"] = through_bascule(providers, seconds, one)
        after_s = 3.0 if shape == "stream" else 2 * LENGTH_S
        found[f"{shape}: two providers, hedge after {after_s:g} s"] = through_bascule(
            providers, seconds, one, hedge_after_s=after_s
        )
    if chosen.json:
        print(json.dumps({name: vars(tally) for name, tally in found.items()}, indent=2))
        return 0
    down_s = [sum(outage.end_s - outage.begin_s for outage in one.outages) for one in providers]
    print(f"{chosen.months:g} virtual months, seed {chosen.seed}, {int(seconds)} requests")
    for at, one_down_s in enumerate(down_s):
        print(f"provider {at + 1}: {len(providers[at].outages)} outages, up {nines(1 - one_down_s / seconds)}")
    print(f"one of them up: {nines(1 - both_down_s(providers) / seconds)}")
    print(f"{'':48} {'answered':>12} {'within 15 s':>12} {'attempts':>9}")
    for name, tally in found.items():
        print(
            f"{name:48} {nines(tally.answered / tally.requests):>12} {nines(tally.promptly / tally.requests):>12}"
            f" {tally.attempts / tally.requests:9.5f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
