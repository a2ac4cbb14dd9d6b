"""From what people say of answers, and what became of work, to findings about models. Pure.

A session is one observation of each model in it, however much was said of it: whoever presses a button ten times has
one opinion. What is said of a request is about the model that answered it; what is said of a session, or what git
says of its work, is shared between its models by the requests that each of them answered. A statement that was taken
back is none.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from bascule.decide.evidence.finding import ANY_TASK, Finding, Subject
from bascule.model.row import AttemptRow
from bascule.model.session_outcome import OutcomeWord, SessionOutcome

VALUE: Mapping[OutcomeWord, float] = {"useful": 1.0, "useless": 0.0, "merged": 1.0, "reverted": 0.0, "abandoned": 0.0}
WEIGHT: Mapping[OutcomeWord, float] = {
    "useful": 1.0,
    "useless": 1.0,
    "merged": 0.5,
    "reverted": 0.5,
    "abandoned": 0.1,
}
"""Observations that a word counts as. Work is merged and reverted for more reasons than its answers, and abandoned for
many more."""
SCORE_WEIGHT = 1.0


class Said(Struct, frozen=True):
    """One statement as a number."""

    value: float
    weight: float


class _Heard(Struct):
    """All that was said of one model by one session."""

    weight: float = 0.0
    total: float = 0.0
    most: float = 0.0
    at_ms: int = 0

    def add(self, said: Said, share: float, at_ms: int) -> None:
        weight = said.weight * share
        self.weight += weight
        self.total += weight * said.value
        self.most = max(self.most, weight)
        self.at_ms = max(self.at_ms, at_ms)


def said_of(statement: SessionOutcome) -> Said | None:
    """A statement as a number: its score, else its word; None where it takes back what was said."""
    if statement.score is not None:
        return Said(statement.score, SCORE_WEIGHT)
    if statement.outcome is not None:
        return Said(VALUE[statement.outcome], WEIGHT[statement.outcome])
    return None


def findings_of(statements: Iterable[SessionOutcome], rows: Iterable[AttemptRow]) -> list[Finding]:
    """One finding per session and subject.

    `statements` are the current ones (`OutcomeStore.current`), `rows` the ledger's of the sessions and requests that
    they name, at least; others do no harm.
    """
    by_request: dict[str, list[AttemptRow]] = {}
    by_session: dict[str, list[AttemptRow]] = {}
    for row in rows:
        if _answered(row):
            by_request.setdefault(row.request_id, []).append(row)
            if row.session_id is not None:
                by_session.setdefault(row.session_id, []).append(row)
    heard: dict[tuple[str, Subject], _Heard] = {}
    for statement in statements:
        said = said_of(statement)
        if said is None:
            continue
        if statement.request_id is not None:
            found = by_request.get(statement.request_id, [])[-1:]  # the attempt that the client got
        else:
            found = by_session.get(statement.session_id or "", [])
        for subject, share in shares(found).items():
            name = statement.session_id or statement.request_id or ""
            heard.setdefault((name, subject), _Heard()).add(said, share, statement.at_ms)
    return [
        Finding(subject=subject, source="live", mean=one.total / one.weight, weight=one.most, at_ms=one.at_ms)
        for (_, subject), one in heard.items()
        if one.weight > 0
    ]


def shares(rows: Sequence[AttemptRow]) -> dict[Subject, float]:
    """What part of these answers each subject gave; 1 in all."""
    counts: dict[Subject, int] = {}
    for row in rows:
        subject = Subject(model=row.model or "", task=row.task or ANY_TASK, snapshot=row.model_reported)
        counts[subject] = counts.get(subject, 0) + 1
    total = sum(counts.values())
    return {subject: count / total for subject, count in counts.items()}


def _answered(row: AttemptRow) -> bool:
    """A client got it: neither a judge's work nor a shadow's."""
    return row.status == 200 and row.model is not None and row.role in ("primary", "retry", "escalation", "hedge")
