"""What is known of models' quality from all that a data directory has: declared, measured by runs, said of live
traffic.

Pure."""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from bascule.decide.evidence.finding import ANY_TASK, Estimate, Finding, Subject
from bascule.decide.evidence.fold import estimate, means
from bascule.model.catalog import Model
from bascule.offline.evaluation.asked_again import Followed
from bascule.offline.evaluation.run_file import Result, Run
from bascule.offline.evaluation.summary import rounded

LEAST_OBSERVATIONS = 10.0
"""Of what is worth a line in a configuration: the lower end of fewer says how little is known, not how bad it is."""


class Known(Struct, frozen=True, kw_only=True):
    """One model at one task."""

    subject: Subject
    estimate: Estimate
    declared: float | None
    measured: float
    """Cases of runs, the latest answer to each, that the estimate rests on."""
    live: float
    """Sessions that something was said of."""


def declared(models: Iterable[Model]) -> list[Finding]:
    """What the configuration says; the catalog's own figures are priors of the routing, and no findings."""
    return [
        Finding(subject=Subject(model=model.name, task=task), source="declared", mean=quality, weight=0.0)
        for model in models
        if model.declared
        for task, quality in sorted(model.quality.items())
    ]


def latest_results(runs: Sequence[Run]) -> list[tuple[Result, int]]:
    """Of each case and model the latest result, with the time of its run: who asks a suite twice has not learned it
    twice. `runs` in the order of their time."""
    found: dict[tuple[str, str], tuple[Result, int]] = {}
    for run in runs:
        for result in run.results:
            if result.done:
                found[result.model, result.digest or f"{run.header.digest}/{result.case}"] = result, run.header.at_ms
    return list(found.values())


def known(findings: Sequence[Finding], now_ms: int) -> list[Known]:
    """One line per model and task that anything was found of, for the latest snapshot of each model."""
    of = means(findings, now_ms)
    cells: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        cells.setdefault((finding.subject.model, finding.subject.task), []).append(finding)
    made = []
    for (model, task), group in sorted(cells.items()):
        observed = [one for one in group if one.source != "declared"]
        newest = max(observed, key=lambda one: one.at_ms or 0, default=None)
        subject = Subject(model=model, task=task, snapshot=None if newest is None else newest.subject.snapshot)
        current = [one for one in observed if one.subject.snapshot in (None, subject.snapshot)]
        stated = next((one.mean for one in group if one.source == "declared"), None)
        made.append(
            Known(
                subject=subject,
                estimate=estimate(subject, group, of, now_ms),
                declared=stated,
                measured=sum([one.weight for one in current if one.source == "measured"]),
                live=sum([one.weight for one in current if one.source == "live"]),
            )
        )
    return made


def known_payload(one: Known, again: Followed | None = None) -> dict[str, Any]:
    """Stable keys. `again`: of the model, at all tasks."""
    return {
        "model": one.subject.model,
        "task": None if one.subject.task == ANY_TASK else one.subject.task,
        "snapshot": one.subject.snapshot,
        "quality": rounded(one.estimate.mean),
        "low": rounded(one.estimate.low),
        "high": rounded(one.estimate.high),
        "measured": rounded(one.measured),
        "live": rounded(one.live),
        "declared": one.declared,
        "source": one.estimate.source,
        "refuted": one.estimate.refuted,
        "followed": None if again is None else again.answers,
        "asked_again": None if again is None else again.asked_again,
    }


def as_configuration(found: Sequence[Known]) -> str:
    """Lines for `models` of bascule.yaml: lower ends, since a floor is compared with those. Declared ones alone are
    left as they are, and so left out."""
    lines = []
    for model in dict.fromkeys([one.subject.model for one in found]):
        own = [one for one in found if one.subject.model == model and one.estimate.observations >= LEAST_OBSERVATIONS]
        told = ", ".join([f"{one.subject.task}: {one.estimate.low:.3f}" for one in own])
        if told:
            lines.append(f"  {model}:\n    quality: {{{told}}}")
    return "models:\n" + "\n".join(lines) + "\n" if lines else ""
