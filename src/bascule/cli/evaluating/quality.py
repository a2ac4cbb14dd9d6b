"""What `eval quality` gathers from a data directory."""

from collections.abc import Iterator

from bascule.compose import Store
from bascule.decide.evidence.finding import Finding
from bascule.decide.feedback import findings_of
from bascule.link import Snapshot
from bascule.model.row import AttemptRow, RowFilter
from bascule.model.session_outcome import SessionOutcome
from bascule.offline.evaluation.calls import TAG
from bascule.offline.evaluation.findings import findings_of_results
from bascule.offline.evaluation.quality import declared, latest_results
from bascule.offline.evaluation.run_file import Run
from bascule.prices.scores import public_findings, published_scores


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
