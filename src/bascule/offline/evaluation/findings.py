"""What a run says of models' quality, in the words of evidence. Pure."""

from collections.abc import Mapping

from bascule.decide.evidence.finding import ANY_TASK, Finding, Subject
from bascule.offline.evaluation.run_file import Result, Run

RELATIVE = frozenset({"pairwise"})
"""Graders whose score says which answer is better, and not how good it is."""


def findings_of_run(run: Run) -> list[Finding]:
    """One finding per model, snapshot and task, of what was graded by itself; a broken case counts 0."""
    # A request that was turned away has no snapshot of its own: it is what the model is now that turned it away.
    reported = {result.model: result.model_reported for result in run.results if result.model_reported is not None}
    groups: dict[Subject, list[float]] = {}
    for result in run.results:
        if result.done and result.score is not None and result.grader not in RELATIVE:
            groups.setdefault(_subject(result, reported), []).append(result.score)
    return [
        Finding(
            subject=subject,
            source="measured",
            mean=sum(scores) / len(scores),
            weight=float(len(scores)),
            at_ms=run.header.at_ms,
        )
        for subject, scores in groups.items()
    ]


def _subject(result: Result, reported: Mapping[str, str]) -> Subject:
    snapshot = result.model_reported or reported.get(result.model)
    return Subject(model=result.model, task=result.task or ANY_TASK, snapshot=snapshot)
