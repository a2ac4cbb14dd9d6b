"""The story's figures, all of them read from the gateway's ledger and decision records."""

from collections.abc import Sequence

from msgspec import Struct

from bascule.cli.budgets import current_states
from bascule.cli.data import open_existing, read_document
from bascule.cli.demonstration.counted import Counted, compare, served_by
from bascule.cli.demonstration.scenario import AGENT_SESSION, TRIAL_KEY
from bascule.cli.period import now_ms
from bascule.model.budget import BudgetState
from bascule.model.entry import Decision
from bascule.model.report import Report
from bascule.model.row import AttemptRow, RequestRow, RowFilter
from bascule.model.session import Session
from bascule.offline.rows import request_rows
from bascule.offline.sessions import RequestLine, request_lines
from bascule.offline.sums import failed
from bascule.offline.verify import Verdict, verify_ledger

Attempts = tuple[AttemptRow, ...]


class Story(Struct, frozen=True, kw_only=True):
    """What happened, as the ledger has it."""

    budget: BudgetState
    """The trial key's."""
    answered: int
    """Its requests that have an attempt."""
    refusals: tuple[Decision, ...]
    """The decision records of the requests that clients were refused, oldest first."""
    failovers: tuple[Attempts, ...]
    """Requests that were answered after a failed attempt, all attempts of each, oldest first."""
    unanswered: int
    """Requests whose last attempt failed too."""
    session: Session
    steps: tuple[RequestLine, ...]
    session_requests: tuple[RequestRow, ...]
    by_model: Report
    by_task: Report
    baseline_model: str
    verdict: Verdict
    counted: Counted


def read_story(config: str, refused_ids: Sequence[str], simulation_port: int) -> Story:
    """Everything from the data directory of a gateway that has answered its last request and may still run.

    `refused_ids`: the requests whose refusal clients saw. Raises StoreError, ConfigError.
    """
    document = read_document(config)
    assert document.config.baseline is not None
    store = open_existing(document)
    rows = list(store.view.attempts(by_request=True))
    told = [row for row in rows if row.session_id == AGENT_SESSION]
    by_request = _grouped(rows)
    refusals = [record for found in refused_ids for record in store.view.decisions(found) if record.refusal]
    return Story(
        budget=next(s for s in current_states(document, now_ms()) if s.scope == f"key:{TRIAL_KEY}"),
        answered=sum(attempts[0].key == TRIAL_KEY for attempts in by_request),
        refusals=tuple(sorted(refusals, key=lambda record: record.ts_ms)),
        failovers=tuple([attempts for attempts in by_request if _failed_over(attempts)]),
        unanswered=sum(failed(attempts[-1]) for attempts in by_request),
        session=store.analytics.sessions(RowFilter(session_id=AGENT_SESSION), top=1).found[0],
        steps=tuple(request_lines(told)),
        session_requests=tuple(sorted(request_rows(told), key=lambda row: row.ts_start_ms)),
        by_model=store.analytics.report(["model"]),
        by_task=store.analytics.report(["task"]),
        baseline_model=document.config.baseline.model,
        verdict=verify_ledger(store.view),
        counted=compare(rows, served_by(simulation_port)),
    )


def kinds_of_failure(failovers: Sequence[Attempts]) -> list[tuple[Attempts, int]]:
    """The first request of every kind of failure, and how many there were of that kind."""
    found: dict[tuple[str | None, int | None], list[Attempts]] = {}
    for attempts in failovers:
        found.setdefault((attempts[0].error_class, attempts[0].status), []).append(attempts)
    return [(alike[0], len(alike)) for alike in found.values()]


def _grouped(rows: Sequence[AttemptRow]) -> list[Attempts]:
    """Attempts by request, in the order of both."""
    found: dict[str, list[AttemptRow]] = {}
    for row in rows:
        found.setdefault(row.request_id, []).append(row)
    made = [tuple(sorted(attempts, key=lambda row: row.attempt_no)) for attempts in found.values()]
    return sorted(made, key=lambda attempts: attempts[0].ts_start_ms)


def _failed_over(attempts: Attempts) -> bool:
    return failed(attempts[0]) and not failed(attempts[-1])
