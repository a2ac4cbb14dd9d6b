"""A suite from what was recorded of traffic. Reading content is written into the audit trail first."""

from collections.abc import Mapping

from msgspec import Struct

from bascule.cli.content import content_of
from bascule.cli.explaining import policy_of
from bascule.cli.who import who
from bascule.compose import Store
from bascule.config.load import Document
from bascule.link import Snapshot
from bascule.model.content import Recording
from bascule.model.errors import BasculeError
from bascule.model.policy import NO_DATA_POLICY, NO_PROTECTION
from bascule.model.row import AttemptRow, RowFilter
from bascule.offline.evaluation.calls import Guard
from bascule.offline.evaluation.sampling import Left, case_of, chosen_by_session, is_usable, reasons
from bascule.offline.evaluation.suite import Case, Suite

ACTION = "content.evaluate"
SEED = 0


class Sampled(Struct, frozen=True, kw_only=True):
    suite: Suite
    rows: dict[str, AttemptRow]
    """What the ledger has of the cases, by case."""
    sessions: int
    """That could have been drawn from: at most one request of each."""
    left: Mapping[str, int]
    """Of the drawn ones, those that make no case, by reason."""


def sampled(
    document: Document,
    snapshot: Snapshot,
    store: Store,
    where: RowFilter,
    *,
    count: int,
    task: str | None = None,
    now_ms: int,
) -> Sampled:
    """Raises BasculeError where nothing was recorded, StoreError where it cannot be read."""
    usable = (row for row in store.view.attempts(where) if is_usable(row, task))
    drawn, sessions = chosen_by_session(usable, count, SEED)
    named = "traffic" if where.model is None else where.model
    if not drawn:
        raise BasculeError(f"the ledger has no answered requests of {named} in this period; see --since and --until")
    store.governance.record(
        ts_ms=now_ms, by=who(), action=ACTION, target=named, detail={"requests": [row.request_id for row in drawn]}
    )
    content = content_of(document)
    cases: dict[str, Case] = {}
    left: list[Left] = []
    try:
        for row in drawn:
            recording = _recording(content.of_request(row.request_id), row)
            guard = guard_of(row, snapshot, store, now_ms)
            made = guard if isinstance(guard, Left) else case_of(row, recording, guard)
            if isinstance(made, Left):
                left.append(made)
            else:
                cases[made.id] = made
    finally:
        content.close()
    why = reasons(left)
    if not cases:
        told = "; ".join([f"{reason}: {times}" for reason, times in why.items()])
        raise BasculeError(
            f"none of {len(drawn)} requests of {named} can be asked again ({told}). Content is recorded with "
            "`privacy.record_content: full`; a suite of your own needs none"
        )
    suite = Suite(
        name=f"recorded-{named}", cases=tuple(cases.values()), source=f"recordings of {named}", keeps_content=False
    )
    return Sampled(suite=suite, rows={row.request_id: row for row in drawn}, sessions=sessions, left=why)


def guard_of(row: AttemptRow, snapshot: Snapshot, store: Store, now_ms: int) -> Guard | Left | None:
    """What must be true of whoever sees this content: what its key and its route ask for today."""
    data, protect, route_data = NO_DATA_POLICY, NO_PROTECTION, NO_DATA_POLICY
    if row.key is not None:
        policy = policy_of(row.key, snapshot, store, now_ms)
        if policy is None:
            return Left("its key, which says who may see it, is gone")
        data, protect = policy.data, policy.protect
    if row.route is not None:
        route = snapshot.routes.get(row.route)
        if route is None:
            return Left("its route, which says who may see it, is gone")
        route_data = route.data
        if route.protect != NO_PROTECTION:
            return Left("its route protects what requests hold")
    guard = Guard(data=data, protect=protect, route_data=route_data)
    return None if guard == Guard() else guard


def _recording(found: list[Recording], row: AttemptRow) -> Recording | None:
    return next((one for one in found if one.attempt_id == row.attempt_id), None)
