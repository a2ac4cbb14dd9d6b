"""What `eval quality` gathers from a data directory."""

from collections.abc import Iterator

from bascule.compose import Store
from bascule.decide.evidence.finding import Finding
from bascule.decide.feedback import findings_of
from bascule.link import Snapshot
from bascule.model.row import AttemptRow, RowFilter
from bascule.model.session_outcome import SessionOutcome
from bascule.offline.evaluation.asked_again import Followed, followed, is_turn
from bascule.offline.evaluation.calls import TAG
from bascule.offline.evaluation.findings import findings_of_results
from bascule.offline.evaluation.quality import declared, latest_results
from bascule.offline.evaluation.run_file import Run
from bascule.prices.scores import public_findings, published_scores

MAX_TURNS = 5_000
"""Answers whose decision records are read for whether users asked again."""


def findings(snapshot: Snapshot | None, store: Store | None, runs: list[Run]) -> list[Finding]:
    """Everything that is found, of whatever source. Raises StoreError."""
    models = () if snapshot is None else snapshot.models.values()
    published = {model.name: tuple([one.upstream_model for one in model.endpoints]) for model in models}
    found = [
        *declared(models),
        *findings_of_results(latest_results(runs)),
        *public_findings(published, published_scores()),
    ]
    if store is not None:
        statements = store.outcomes.current()
        found += findings_of(statements, _rows(store, statements))
    return found


def _rows(store: Store, statements: list[SessionOutcome]) -> Iterator[AttemptRow]:
    """Of the sessions and requests that something was said of."""
    sessions = {one.session_id for one in statements if one.session_id is not None}
    requests = {one.request_id for one in statements if one.session_id is None and one.request_id is not None}
    if not sessions and not requests:
        return
    for row in store.view.attempts(RowFilter()):
        if TAG not in row.tags and (row.session_id in sessions or row.request_id in requests):
            yield row


def asked_again(store: Store, since_ms: int) -> dict[str, Followed]:
    """How often users asked again, by model, in the latest sessions since then. Decision records that no store has yet
    are left out."""
    sessions: dict[str, list[AttemptRow]] = {}
    for row in store.view.attempts(RowFilter(since_ms=since_ms)):
        if is_turn(row):
            sessions.setdefault(row.session_id or "", []).append(row)
    several = [rows for rows in sessions.values() if len({row.request_id for row in rows}) > 1]
    looked_at: list[AttemptRow] = []
    for rows in sorted(several, key=lambda rows: -rows[-1].ts_start_ms):
        if len(looked_at) + len(rows) > MAX_TURNS:
            break
        looked_at += rows
    with store.view.snapshot() as snapshot:
        decisions = {row.request_id: snapshot.decisions(row.request_id) for row in looked_at}
    return followed(looked_at, {name: made[0].facts for name, made in decisions.items() if made})
