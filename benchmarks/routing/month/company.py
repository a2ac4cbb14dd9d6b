"""A company of 200 developers and what it asks of models in one month. Drawn from a seed.

Agents: sessions of the shape that captured clients have (76 KB of instructions and tools, some 19,000 tokens, before
the first word), whose prompt grows with every turn and lies in a provider's cache for five minutes. Products: requests
whose prompts, answers and their correctness are real (`shared/data/routing`), under the names and prices of today's
models of the same rank (`cast.py`). Not everything is simulated: each simulated session or request stands for several.
"""

from dataclasses import dataclass

import numpy as np

from benchmarks.routing.month.cast import Cast

MONTH_START_MS = 1_793_491_200_000
"""2026-11-01, UTC."""
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Volume:
    """What the company does in a month, and how much of it is simulated."""

    developers: int = 200
    workdays: int = 21
    sessions_per_day: int = 8
    """Of each developer, sub-agents counted as sessions of their own."""
    assistant_requests: int = 2_500_000
    question_requests: int = 2_000_000
    session_weight: int = 4
    request_weight: int = 20
    """So many real ones are told by one simulated."""

    @property
    def sessions(self) -> int:
        return self.developers * self.workdays * self.sessions_per_day

    def weight(self, kind: str) -> int:
        return self.session_weight if kind == "agents" else self.request_weight


FIRST_TOKENS = 19_000
FULL_TOKENS, COMPACTED_TOKENS = 150_000, 30_000
"""Where an agent sums up its conversation, and what is left then."""
MEDIAN_TURNS, TURNS_SPREAD, MOST_TURNS = 18.0, 1.0, 250
GROWTH_TOKENS, OUTPUT_TOKENS, SPREAD = 900.0, 250.0, 0.9
"""Medians of a turn: what tools and people add, and what the model says."""
PAUSES = ((0.86, 20.0), (0.11, 150.0), (0.03, 1_500.0))
"""(share, mean in seconds): a tool runs; somebody reads; somebody is away."""


@dataclass(frozen=True)
class Turn:
    at_ms: int
    tokens_in: int
    """The whole prompt."""
    tokens_before: int
    """Of it, what the turn before had too; 0 after a compaction."""
    tokens_out: int


@dataclass(frozen=True)
class Session:
    session_id: str
    row: int
    """In `cast.agents`: whether a model would have solved it."""
    turns: tuple[Turn, ...]


@dataclass(frozen=True)
class Request:
    request_id: str
    at_ms: int
    row: int


@dataclass(frozen=True)
class Month:
    volume: Volume
    start_ms: int
    sessions: tuple[Session, ...]
    """By their beginning."""
    requests: dict[str, tuple[Request, ...]]
    """By product, in order of time."""


def drawn(cast: Cast, volume: Volume, seed: int, start_ms: int = MONTH_START_MS) -> Month:
    """The same seed gives the same month."""
    rng = np.random.default_rng(seed)
    count = volume.sessions // volume.session_weight
    begins = np.sort(start_ms + _work_times(rng, count, volume.workdays))
    sessions = [
        _session(rng, f"agent-{start_ms}-{at}", int(began), len(cast.agents.labels)) for at, began in enumerate(begins)
    ]
    asked = {"assistant": volume.assistant_requests, "questions": volume.question_requests}
    requests = {}
    for product, number in asked.items():
        times = np.sort(rng.integers(0, 30 * DAY_MS, number // volume.request_weight))
        rows = rng.integers(0, len(cast.products[product].labels), len(times))
        requests[product] = tuple(
            [
                Request(f"{product}-{start_ms}-{at}", start_ms + int(time), int(row))
                for at, (time, row) in enumerate(zip(times, rows, strict=True))
            ]
        )
    return Month(volume, start_ms, tuple(sessions), requests)


def _work_times(rng: np.random.Generator, count: int, workdays: int) -> np.ndarray:
    """Milliseconds from the month's beginning, on its workdays between 8 and 18 o'clock."""
    days = [day for day in range(30) if (day + 6) % 7 < 5][:workdays]  # 2026-11-01 is a Sunday
    day = rng.choice(np.array(days), count)
    return np.asarray(day * DAY_MS + rng.uniform(8, 18, count) * 3_600_000)


def _session(rng: np.random.Generator, session_id: str, began_ms: int, tasks: int) -> Session:
    turns = int(min(MOST_TURNS, max(1, round(rng.lognormal(np.log(MEDIAN_TURNS), TURNS_SPREAD)))))
    made, at_ms, tokens, before = [], began_ms, FIRST_TOKENS, 0
    for grown, said, pause in zip(
        rng.lognormal(np.log(GROWTH_TOKENS), SPREAD, turns),
        rng.lognormal(np.log(OUTPUT_TOKENS), SPREAD, turns),
        _pauses(rng, turns),
        strict=True,
    ):
        made.append(Turn(at_ms, tokens, before, int(said) + 1))
        at_ms += int(pause * 1_000)
        before, tokens = tokens, tokens + int(grown) + int(said) + 1
        if tokens > FULL_TOKENS:
            before, tokens = 0, COMPACTED_TOKENS
    return Session(session_id, int(rng.integers(tasks)), tuple(made))


def _pauses(rng: np.random.Generator, count: int) -> np.ndarray:
    shares, means = zip(*PAUSES, strict=True)
    return np.asarray(rng.exponential(np.array(means)[rng.choice(len(means), count, p=shares)]))
