"""What else a company could do: one model for all, a coin, a table by task, a router trained on its history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bascule.learned.embedder import Embedder
from bascule.learned.features import see
from bascule.learned.outcomes import Floats, Ints
from bascule.learned.policy import LAMBDAS, came_of, decided
from bascule.learned.training import Trained, trained
from benchmarks.routing.month.agents import session_nanousd
from benchmarks.routing.month.cast import PREMIUM, Cast, Played
from benchmarks.routing.month.company import Month
from benchmarks.routing.month.earned import Outcome


@dataclass(frozen=True)
class Kind:
    """All that one kind of traffic came to under a policy; quality by row of the set that it is drawn from."""

    usd: float
    quality: Floats
    """(rows,): mean of the answers to that question."""
    asked: Ints
    """(rows,): how often it was asked."""


Result = dict[str, Kind]
"""By kind: `agents`, `assistant`, `questions`."""


def played(cast: Cast, kind: str) -> Played:
    return cast.agents if kind == "agents" else cast.products[kind]


def one_model(month: Month, cast: Cast, model_of: Mapping[str, str]) -> Result:
    """The same model for all requests of a kind."""
    return by_table(month, cast, {kind: dict.fromkeys(played(cast, kind).labels, model_of[kind]) for kind in model_of})


def by_table(month: Month, cast: Cast, table: Mapping[str, Mapping[str, str]]) -> Result:
    """`table`: kind to task to model."""
    made: Result = {}
    for kind, model_of in table.items():
        of = played(cast, kind)
        columns = np.array([of.column(model_of[label]) for label in of.labels])
        rows = np.arange(len(columns))
        asked = _asked(month, cast, kind)
        if kind == "agents":
            model = model_of[of.labels[0]]
            nanousd = sum([session_nanousd(model, session, cast.rates) for session in month.sessions])
        else:
            nanousd = int((of.nanousd[rows, columns] * asked).sum())
        made[kind] = Kind(nanousd * month.volume.weight(kind) / 1e9, of.quality[rows, columns], asked)
    return made


def mixed(one: Result, other: Result, share: float) -> Result:
    """What a coin that falls on `other` with this chance comes to on average."""
    return {
        kind: Kind(
            (1 - share) * one[kind].usd + share * other[kind].usd,
            (1 - share) * one[kind].quality + share * other[kind].quality,
            one[kind].asked,
        )
        for kind in one
    }


def of_outcome(month: Month, cast: Cast, outcome: Outcome) -> Result:
    made: Result = {}
    for kind, answers in outcome.answers.items():
        of = played(cast, kind)
        asked, right = np.zeros(len(of.labels), np.int64), np.zeros(len(of.labels))
        for answer in answers:
            asked[answer.row] += 1
            right[answer.row] += of.quality[answer.row, of.column(answer.model)]
        nanousd = sum([answer.nanousd for answer in answers])
        quality = np.divide(right, asked, out=np.zeros(len(right)), where=asked > 0)
        made[kind] = Kind(nanousd * month.volume.weight(kind) / 1e9, quality, asked)
    return made


def careful_table(cast: Cast, weights: Mapping[str, float], most_lost: float) -> dict[str, dict[str, str]]:
    """By task the model that saves most while all together lose at most `most_lost`, as history tells; `weights`: what
    a kind counts for. Both are means over history's prompts, which the month does not have."""
    best: dict[str, dict[str, str]] = {}
    for price in np.geomspace(1e-4, 1e3, 200):
        table: dict[str, dict[str, str]] = {}
        lost = 0.0
        for kind, history in cast.history.items():
            labels, premium = np.array(history.labels), history.column(PREMIUM)
            table[kind] = {}
            for label in sorted(set(history.labels)):
                rows = labels == label
                quality, usd = history.quality[rows].mean(axis=0), history.nanousd[rows].mean(axis=0)
                at = int((quality - price * usd / usd[premium]).argmax())
                table[kind][label] = history.models[at]
                lost += weights[kind] * float(rows.mean()) * float(quality[premium] - quality[at])
        if lost > most_lost:
            break
        best = table
    return best


def learned(history: Played, seed: int) -> Trained:
    """As `bascule router train` learns, at today's prices."""
    asked = history.outcomes.questions
    return trained(history.outcomes, see(asked.prompts, asked.labels, Embedder()), seed)


def by_learned(month: Month, cast: Cast, kind: str, made: Trained, share: str) -> Kind:
    """At the lambda that training fixed for this share of the best model's quality."""
    of, gain = cast.products[kind], next((one for one in made.gains if one.kind == made.policy.kind), None)
    price = 0.0 if gain is None else gain.price_at[share] or 0.0
    asked = of.outcomes.questions
    seen = see(asked.prompts, asked.labels, Embedder())
    (step,) = decided(made.policy, asked, seen, (LAMBDAS[LAMBDAS.index(price)],))
    quality, usd = came_of(step, made.policy, of.outcomes)
    times = _asked(month, cast, kind)
    return Kind(float(usd @ times) * month.volume.weight(kind), quality, times)


def _asked(month: Month, cast: Cast, kind: str) -> Ints:
    rows: Sequence[int] = (
        [session.row for session in month.sessions]
        if kind == "agents"
        else [request.row for request in month.requests[kind]]
    )
    return np.bincount(np.array(rows), minlength=len(played(cast, kind).labels))
