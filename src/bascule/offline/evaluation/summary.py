"""What a run says of its models, and of one against another. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from bascule.model.money import usd_text
from bascule.offline.evaluation.paired import Difference, Estimate, difference, mean_of
from bascule.offline.evaluation.run_file import Outcome, Result, Run
from bascule.offline.percentile import percentile

OUTCOMES: tuple[Outcome, ...] = ("graded", "broken", "ungraded", "unanswered")
NO_TASK = "none"


class Summary(Struct, frozen=True, kw_only=True):
    """One model over some cases. Money in nano-USD; None is unknown."""

    model: str
    cases: int
    counts: dict[str, int]
    """By outcome."""
    quality: Estimate | None
    """Mean score of what was graded, a broken case counting 0; None where nothing was."""
    passed: int
    cost_nanousd: int | None
    """Of all answers, also of those that were taken from an earlier run. None where one is unknown."""
    judge_nanousd: int
    latency_p50_ms: int | None
    latency_p95_ms: int | None
    cut: int
    """Answers that reached their output cap."""
    inconsistent: int
    """Comparisons whose two orders disagreed."""

    @property
    def cost_per_case_nanousd(self) -> int | None:
        answered = self.cases - self.counts["unanswered"] - self.counts["broken"]
        return None if self.cost_nanousd is None or not answered else self.cost_nanousd // answered


class Versus(Struct, frozen=True, kw_only=True):
    """One model, or run, against another, on the cases that both have a score of."""

    first: str
    second: str
    difference: Difference | None
    by_task: dict[str, Difference]
    only_first: int
    """Cases that the first has a score of and the second has not."""
    only_second: int


def summary(model: str, results: Sequence[Result]) -> Summary:
    done = [result for result in results if result.done]
    answered = [result for result in results if result.outcome in ("graded", "ungraded")]
    costs = [result.cost_nanousd for result in answered]
    times = sorted([result.latency_ms for result in answered if result.latency_ms is not None])
    return Summary(
        model=model,
        cases=len(results),
        counts={outcome: sum([result.outcome == outcome for result in results]) for outcome in OUTCOMES},
        quality=mean_of([result.score for result in done if result.score is not None]),
        passed=sum([result.passed is True for result in done]),
        cost_nanousd=None if None in costs else sum([cost for cost in costs if cost is not None]),
        judge_nanousd=sum([result.judge_nanousd for result in results]),
        latency_p50_ms=percentile(times, 50),
        latency_p95_ms=percentile(times, 95),
        cut=sum([result.finish_reason == "length" for result in answered]),
        inconsistent=sum([result.consistent is False for result in results]),
    )


def summaries(run: Run) -> list[Summary]:
    """In the order in which the models were named."""
    return [summary(model, run.of(model)) for model in run.header.models]


def versus(first: Sequence[Result], second: Sequence[Result], names: tuple[str, str]) -> Versus:
    """Paired by case, in the order of the second's cases."""
    before, after = _scores(first), _scores(second)
    shared = [case for case in after if case in before]
    tasks: dict[str, list[str]] = {}
    for result in second:
        if result.case in after and result.case in before:
            tasks.setdefault(result.task or NO_TASK, []).append(result.case)

    def compared(cases: Iterable[str]) -> Difference | None:
        listed = list(cases)
        return difference([before[case] for case in listed], [after[case] for case in listed])

    by_task = {task: found for task, cases in sorted(tasks.items()) if (found := compared(cases)) is not None}
    return Versus(
        first=names[0],
        second=names[1],
        difference=compared(shared),
        by_task=by_task if len(by_task) > 1 else {},
        only_first=len(before) - len(shared),
        only_second=len(after) - len(shared),
    )


def by_task(run: Run, model: str) -> dict[str, Summary]:
    """Empty where all cases are of one task."""
    groups: dict[str, list[Result]] = {}
    for result in run.of(model):
        groups.setdefault(result.task or NO_TASK, []).append(result)
    return {task: summary(model, results) for task, results in sorted(groups.items())} if len(groups) > 1 else {}


def failures(results: Iterable[Result]) -> list[Result]:
    """What did not pass."""
    return [result for result in results if result.done and result.passed is not True]


def summary_payload(made: Summary) -> dict[str, Any]:
    """Stable keys; money as `*_usd`."""
    return {
        "model": made.model,
        "cases": made.cases,
        **made.counts,
        "passed": made.passed,
        "quality": None if made.quality is None else rounded(made.quality.mean),
        "quality_low": None if made.quality is None else rounded(made.quality.low),
        "quality_high": None if made.quality is None else rounded(made.quality.high),
        "cost_usd": usd_text(made.cost_nanousd),
        "cost_per_case_usd": usd_text(made.cost_per_case_nanousd),
        "judge_usd": usd_text(made.judge_nanousd),
        "latency_p50_ms": made.latency_p50_ms,
        "latency_p95_ms": made.latency_p95_ms,
        "cut": made.cut,
        "inconsistent": made.inconsistent,
    }


def versus_payload(made: Versus) -> dict[str, Any]:
    return {
        "first": made.first,
        "second": made.second,
        "difference": difference_payload(made.difference),
        "by_task": {task: difference_payload(found) for task, found in made.by_task.items()},
        "only_first": made.only_first,
        "only_second": made.only_second,
    }


def difference_payload(found: Difference | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "mean": rounded(found.mean),
        "low": rounded(found.low),
        "high": rounded(found.high),
        "at_least": rounded(found.at_least),
        "at_most": rounded(found.at_most),
        "cases": found.cases,
        "better": found.better,
        "worse": found.worse,
        "p_value": None if found.p_value is None else float(f"{found.p_value:.3g}"),
    }


def rounded(value: float) -> float:
    """To four places: no interval here is narrower."""
    return round(value, 4) + 0.0


def _scores(results: Iterable[Result]) -> dict[str, float]:
    return {result.case: result.score for result in results if result.done and result.score is not None}
