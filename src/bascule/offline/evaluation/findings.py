"""What a run says of models' quality, in the words of evidence. Pure."""

from collections.abc import Mapping, Sequence

from bascule.decide.evidence.finding import ANY_TASK, Finding, Subject
from bascule.offline.evaluation.run_file import Result, Run

RELATIVE = frozenset({"pairwise"})
"""Graders whose score says which answer is better, and not how good it is."""


def findings_of_run(run: Run) -> list[Finding]:
    """As `findings_of_results`, of one run."""
    return findings_of_results([(result, run.header.at_ms) for result in run.results])


def findings_of_results(results: Sequence[tuple[Result, int]]) -> list[Finding]:
    """One finding per model, snapshot and task, of what was graded by itself; a broken case counts 0. `results` with
    the time at which they came about, oldest first."""
    # A request that was turned away has no snapshot of its own: it is what the model is now that turned it away.
    reported = {result.model: result.model_reported for result, _ in results if result.model_reported is not None}
    groups: dict[Subject, list[tuple[float, int]]] = {}
    for result, at_ms in results:
        if result.done and result.score is not None and result.grader not in RELATIVE:
            groups.setdefault(_subject(result, reported), []).append((result.score, at_ms))
    return [
        Finding(
            subject=subject,
            source="measured",
            mean=sum([score for score, _ in scored]) / len(scored),
            weight=float(len(scored)),
            at_ms=max([at_ms for _, at_ms in scored]),
        )
        for subject, scored in groups.items()
    ]


def _subject(result: Result, reported: Mapping[str, str]) -> Subject:
    snapshot = result.model_reported or reported.get(result.model)
    return Subject(model=result.model, task=result.task or ANY_TASK, snapshot=snapshot)
