from pathlib import Path
from typing import Any

from bascule.offline.evaluation.findings import findings_of_run
from bascule.offline.evaluation.run_file import Header, Result, Run


def result(case: str, score: float | None, **more: Any) -> Result:
    told: dict[str, Any] = {
        "model": "small",
        "outcome": "graded",
        "grader": "exact",
        "model_reported": "small-1",
    } | more
    return Result(case=case, score=score, **told)


def test_what_was_graded_by_itself_is_measured() -> None:
    header = Header(
        run="r", suite="s", source="s.yaml", digest="d", models=("small",), judge=None, at_ms=9, cases=6,
        keeps_content=True, max_nanousd=None,
    )  # fmt: skip
    results = (
        result("a", 1.0, task="math"),
        result("b", 0.5, task="math"),
        result("c", 0.0, task="math", outcome="broken", model_reported=None),
        result("d", 1.0, task="math", grader="pairwise"),
        result("e", None, task="math", outcome="ungraded"),
        result("f", 1.0),
    )
    found = {one.subject.task: one for one in findings_of_run(Run(header=header, results=results, path=Path("x")))}
    assert set(found) == {"math", "default"}
    assert (found["math"].mean, found["math"].weight, found["math"].source) == (0.5, 3.0, "measured")
    assert (found["math"].subject.snapshot, found["math"].at_ms) == ("small-1", 9)
