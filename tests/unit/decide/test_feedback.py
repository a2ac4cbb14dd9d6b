from typing import Any

import pytest

from bascule.decide.evidence.finding import Finding
from bascule.decide.feedback import findings_of, said_of
from bascule.model.row import AttemptRow
from bascule.model.session_outcome import SessionOutcome


def row(request: str, model: str, *, no: int = 1, session: str | None = "s", **more: Any) -> AttemptRow:
    told: dict[str, Any] = {"kind": "settle", "status": 200, "task": "chat", "role": "primary", "chain": ""} | more
    return AttemptRow(
        attempt_id=f"att_{request}.{no}", request_id=request, attempt_no=no, ts_start_ms=0, model=model,
        session_id=session, **told,
    )  # fmt: skip


def said(**more: Any) -> SessionOutcome:
    return SessionOutcome(**({"session_id": "s", "at_ms": 5, "source": "feedback"} | more))


def told(findings: list[Finding]) -> dict[str, tuple[float, float]]:
    return {found.subject.model: (found.mean, found.weight) for found in findings}


@pytest.mark.parametrize(
    ("statement", "value", "weight"),
    [
        (said(outcome="useful"), 1.0, 1.0),
        (said(outcome="useless"), 0.0, 1.0),
        (said(outcome="useless", score=0.8), 0.8, 1.0),
        (said(outcome="merged"), 1.0, 0.5),
        (said(outcome="reverted"), 0.0, 0.5),
        (said(outcome="abandoned"), 0.0, 0.1),
    ],
)
def test_a_statement_is_a_number(statement: SessionOutcome, value: float, weight: float) -> None:
    found = said_of(statement)
    assert found is not None
    assert (found.value, found.weight) == (value, weight)


def test_what_was_taken_back_says_nothing() -> None:
    assert said_of(said()) is None
    assert findings_of([said()], [row("r", "small")]) == []


def test_a_request_is_about_who_answered_it() -> None:
    rows = [row("r", "small", status=500), row("r", "big", no=2, role="escalation"), row("other", "small")]
    (found,) = findings_of([said(request_id="r", outcome="useless")], rows)
    assert (found.subject.model, found.subject.task, found.source) == ("big", "chat", "live")
    assert (found.mean, found.weight, found.at_ms) == (0.0, 1.0, 5)


def test_a_session_is_shared_between_its_models() -> None:
    rows = [row(f"r{n}", "big" if n == 0 else "small") for n in range(4)]
    assert told(findings_of([said(outcome="merged", source="git")], rows)) == {
        "small": (1.0, 0.375),
        "big": (1.0, 0.125),
    }


def test_a_session_is_one_observation_however_much_is_said() -> None:
    rows = [row(f"r{n}", "small") for n in range(10)]
    statements = [said(request_id=f"r{n}", outcome="useful" if n < 8 else "useless") for n in range(10)]
    (found,) = findings_of(statements, rows)
    assert found.mean == pytest.approx(0.8)
    assert found.weight == 1.0


def test_judges_and_shadows_answered_nobody() -> None:
    rows = [row("r", "small"), row("r", "judge", no=2, role="judge"), row("r", "shadow", no=3, role="shadow")]
    assert set(told(findings_of([said(outcome="useful")], rows))) == {"small"}


def test_what_is_not_in_the_ledger_is_about_nobody() -> None:
    assert findings_of([said(request_id="gone", outcome="useful")], [row("r", "small")]) == []
