"""What `switch-check` gathers: the ledger's traffic at both models, and a run that asks the second, or both."""

import os
from collections.abc import Iterator
from typing import Any

from msgspec import Struct, structs

from bascule.cli.evaluating.opening import evaluating
from bascule.cli.evaluating.recordings import Sampled, sampled
from bascule.cli.evaluating.running import Made, Wanted, evaluate
from bascule.compose import Store, snapshot_of
from bascule.config.load import Document
from bascule.decide.resolve import resolve
from bascule.dialects.matrix import shipped_matrix
from bascule.link import Snapshot
from bascule.model.catalog import Model
from bascule.model.errors import BasculeError, Refusal
from bascule.model.money import PricePeriod, PriceTimeline
from bascule.model.row import AttemptRow, RowFilter
from bascule.offline.evaluation.calls import TAG
from bascule.offline.evaluation.features import Gap, Use, gaps, translation_gaps, use_of
from bascule.offline.evaluation.grading import NOT_WORSE
from bascule.offline.evaluation.paired import Difference, difference
from bascule.offline.evaluation.run_file import Result
from bascule.offline.evaluation.sampling import chosen
from bascule.offline.evaluation.suite import Suite
from bascule.offline.evaluation.summary import Summary, summary, versus
from bascule.offline.evaluation.switching import Break, Costs, Decided, breaks_of, decided
from bascule.offline.percentile import percentile
from bascule.offline.rerate import rerate

FACTS_LOOKED_AT = 300
"""Requests whose decision records are read for what they use."""
SEED = 1


class Question(Struct, frozen=True, kw_only=True):
    """What is asked of `switch-check`."""

    first: str
    second: str
    where: RowFilter
    suite: Suite | None
    sample: int
    task: str | None
    margin: float
    wanted: Wanted
    """Models are filled in here."""


class Latency(Struct, frozen=True, kw_only=True):
    p50_ms: int | None
    p95_ms: int | None
    requests: int


class Checked(Struct, frozen=True, kw_only=True):
    question: Question
    decided: Decided
    difference: Difference | None
    costs: Costs
    case_cost_ratio: float | None
    latency: dict[str, Latency]
    gaps: tuple[Gap, ...]
    use: Use
    breaks: tuple[Break, ...]
    summaries: tuple[Summary, ...]
    made: Made | None
    drawn: int | None = None
    """Requests, one of a session."""
    sessions: int | None = None
    """There were."""
    left: dict[str, int] = {}


def check(document: Document, store: Store | None, question: Question, now_ms: int) -> Checked:
    """`store`: None where there is no ledger. Raises BasculeError and StoreError as its parts do."""
    snapshot = snapshot_of(evaluating(document), dict(os.environ), stored_keys=True)
    before, after = _model(snapshot, question.first, needed=False), _model(snapshot, question.second, needed=True)
    assert after is not None
    traffic = _Traffic(store, question, before, after, now_ms)
    made, results, drawn = _asked(document, snapshot, store, question, now_ms)
    found = _difference(question, results)
    ratio = _output_ratio(question, results, traffic.rows_of(results))
    costs = traffic.costs(ratio)
    seen = traffic.gaps()
    case_cost_ratio = costs.longer_ratio or _run_ratio(question, results, traffic.rows_of(results))
    verdict = decided(found, margin=question.margin, case_cost_ratio=case_cost_ratio, gaps=seen)
    return Checked(
        question=question,
        decided=verdict,
        difference=found,
        costs=costs,
        case_cost_ratio=case_cost_ratio,
        latency=_latencies(question, results, traffic),
        gaps=tuple(seen),
        use=traffic.use,
        breaks=tuple(breaks_of(results.get(question.first), results.get(question.second, []))),
        summaries=tuple([summary(name, found) for name, found in results.items()]),
        made=made,
        drawn=None if drawn is None else len(drawn.rows),
        sessions=None if drawn is None else drawn.sessions,
        left={} if drawn is None else dict(drawn.left),
    )


class _Traffic:
    """The ledger's requests of the first model."""

    def __init__(
        self, store: Store | None, question: Question, before: Model | None, after: Model, now_ms: int
    ) -> None:
        self._store = store
        self._where = question.where
        self._task = question.task
        self._before = before
        self._after = after
        self._now_ms = now_ms
        self.use = use_of(self._rows(), self._facts())

    def _rows(self) -> Iterator[AttemptRow]:
        if self._store is None:
            return
        for row in self._store.view.attempts(self._where):
            answered = row.kind == "settle" and row.status == 200 and row.cache == "none" and TAG not in row.tags
            if answered and (self._task is None or row.task == self._task):
                yield row

    def _facts(self) -> dict[str, dict[str, Any]]:
        if self._store is None:
            return {}
        drawn = chosen(self._rows(), FACTS_LOOKED_AT, SEED)
        found = {row.request_id: self._store.view.decisions(row.request_id) for row in drawn}
        return {name: decisions[0].facts for name, decisions in found.items() if decisions}

    def rows_of(self, results: dict[str, list[Result]]) -> dict[str, AttemptRow]:
        """Of the cases that are recorded requests."""
        if self._store is None:
            return {}
        cases = {result.case for found in results.values() for result in found if result.case.startswith("req_")}
        return {row.request_id: row for row in self._rows() if row.request_id in cases} if cases else {}

    def latency(self) -> Latency:
        times = sorted([row.ts_end_ms - row.ts_start_ms for row in self._rows() if row.ts_end_ms is not None])
        return Latency(p50_ms=percentile(times, 50), p95_ms=percentile(times, 95), requests=len(times))

    def costs(self, output_ratio: float | None) -> Costs:
        """Priced today: what was paid then is past."""
        same = rerate(self._rows(), self._first_prices, self._now_ms, self._second_prices, self._now_ms)
        longer = None
        if output_ratio is not None and same.rows:
            scaled = (_longer(row, output_ratio) for row in self._rows())
            longer = rerate(scaled, self._first_prices, self._now_ms, self._second_prices, self._now_ms).after_nanousd
        return Costs(
            requests=same.rows,
            before_nanousd=same.before_nanousd,
            after_nanousd=same.after_nanousd,
            longer_nanousd=longer if longer is not None else same.after_nanousd,
            output_ratio=output_ratio,
            not_priced={reason: apart.rows for reason, apart in same.not_rerated.items()},
        )

    def gaps(self) -> list[Gap]:
        endpoint = self._after.endpoints[0]
        found = gaps(self.use, self._after, endpoint) if self.use.requests else []
        if self._before is not None:
            found += translation_gaps(self.use, self._before.endpoints[0].dialect, endpoint.dialect, shipped_matrix())
        return found

    def _first_prices(self, row: AttemptRow) -> PriceTimeline | str:
        """Today's of its endpoint; of one that is gone what it had then."""
        for endpoint in () if self._before is None else self._before.endpoints:
            if endpoint.prices is not None and (endpoint.provider, endpoint.upstream_model) == (
                row.provider,
                row.upstream_model,
            ):
                return endpoint.prices
        if row.rates is None:
            return "no price of the first model"
        return PriceTimeline(periods=(PricePeriod(from_ms=0, rates=row.rates),), source="ledger")

    def _second_prices(self, row: AttemptRow) -> PriceTimeline | str:
        return self._after.endpoints[0].prices or "no price of the second model"


def _model(snapshot: Snapshot, name: str, *, needed: bool) -> Model | None:
    found = resolve(name, snapshot)
    if isinstance(found, Refusal) or found.model is None:
        if not needed:
            return None
        why = found.message if isinstance(found, Refusal) else f"{name!r} is a route; name one model"
        raise BasculeError(why)
    return found.model


def _asked(
    document: Document, snapshot: Snapshot, store: Store | None, question: Question, now_ms: int
) -> tuple[Made | None, dict[str, list[Result]], Sampled | None]:
    """The run, its results by model, and what was drawn for it from recordings."""
    if question.suite is not None:
        models = (question.first, question.second)
        made = evaluate(document, question.suite, structs.replace(question.wanted, models=models))
        return made, {name: made.run.of(name) for name in models}, None
    if question.wanted.judge is None or store is None:
        return None, {}, None
    drawn = sampled(document, snapshot, store, question.where, count=question.sample, task=question.task, now_ms=now_ms)
    made = evaluate(document, drawn.suite, structs.replace(question.wanted, models=(question.second,)))
    return made, {question.second: made.run.of(question.second)}, drawn


def _difference(question: Question, results: dict[str, list[Result]]) -> Difference | None:
    """Of scores; of recorded answers, where a judge compared: cases won less cases lost, as a share."""
    second = results.get(question.second)
    if second is None:
        return None
    if question.first in results:
        return versus(results[question.first], second, (question.first, question.second)).difference
    scores = [result.score for result in second if result.done and result.score is not None]
    won = [2 * (score - NOT_WORSE) for score in scores]
    return difference([0.0] * len(won), won)


def _output_ratio(question: Question, results: dict[str, list[Result]], rows: dict[str, AttemptRow]) -> float | None:
    """How much longer the second's answers are, on the same cases."""
    pairs = _pairs(question, results, rows)
    first, second = sum([one for one, _, _, _ in pairs]), sum([other for _, other, _, _ in pairs])
    return second / first if first and second else None


def _run_ratio(question: Question, results: dict[str, list[Result]], rows: dict[str, AttemptRow]) -> float | None:
    """What the second cost by what the first cost, on the same cases; None where one cost is not known."""
    pairs = _pairs(question, results, rows)
    if not pairs or any(one is None or other is None for _, _, one, other in pairs):
        return None
    first = sum([one or 0 for _, _, one, _ in pairs])
    return sum([other or 0 for _, _, _, other in pairs]) / first if first else None


def _pairs(
    question: Question, results: dict[str, list[Result]], rows: dict[str, AttemptRow]
) -> list[tuple[int, int, int | None, int | None]]:
    """(output of the first, of the second, cost of the first, of the second), by case."""
    before: dict[str, tuple[int | None, int | None]] = {
        result.case: (result.tokens_out, result.cost_nanousd) for result in results.get(question.first, [])
    } or {name: ((row.tokens_out or 0) + (row.tokens_reasoning or 0), row.cost_nanousd) for name, row in rows.items()}
    pairs = []
    for result in results.get(question.second, []):
        tokens, cost = before.get(result.case, (None, None))
        if tokens is not None and result.tokens_out is not None:
            pairs.append((tokens, result.tokens_out, cost, result.cost_nanousd))
    return pairs


def _longer(row: AttemptRow, ratio: float) -> AttemptRow:
    def scaled(count: int | None) -> int | None:
        return None if count is None else round(count * ratio)

    return structs.replace(row, tokens_out=scaled(row.tokens_out), tokens_reasoning=scaled(row.tokens_reasoning))


def _latencies(question: Question, results: dict[str, list[Result]], traffic: _Traffic) -> dict[str, Latency]:
    found = {}
    for name, listed in results.items():
        made = summary(name, listed)
        found[name] = Latency(p50_ms=made.latency_p50_ms, p95_ms=made.latency_p95_ms, requests=made.counts["graded"])
    if question.first not in found:
        found[question.first] = traffic.latency()
    return found
