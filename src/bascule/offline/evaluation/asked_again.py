"""How often users ask again for what a model has just answered: a weak sign, for comparing models at best. Pure.

From decision records, which say of a request that it asks again, and the ledger's order of a session's requests. Only
answers that were followed by something in their session count: of the last one nothing is known. A session in which
several conversations run side by side may blame the wrong one.
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from msgspec import Struct

from bascule.model.row import AttemptRow
from bascule.offline.evaluation.calls import TAG

FACT = "asked_again"


class Followed(Struct):
    """One model's answers that were followed by a further request of their session."""

    answers: int = 0
    asked_again: int = 0


def is_turn(row: AttemptRow) -> bool:
    """An answer that a client got, of a session, and no evaluation's."""
    return (
        row.kind == "settle"
        and row.status == 200
        and row.session_id is not None
        and row.role in ("primary", "retry", "escalation", "hedge")
        and TAG not in row.tags
    )


def followed(rows: Iterable[AttemptRow], facts: Mapping[str, Mapping[str, Any]]) -> dict[str, Followed]:
    """By model. `rows`: turns as `is_turn` has them, all of the sessions that are looked at; `facts` by request, as
    decision records have them: a request without one is not counted."""
    sessions: dict[str, dict[str, AttemptRow]] = {}
    for row in sorted(rows, key=lambda row: (row.ts_start_ms, row.attempt_id)):
        sessions.setdefault(row.session_id or "", {})[row.request_id] = row  # the last attempt is the one that answered
    found: dict[str, Followed] = {}
    for turns in sessions.values():
        listed = list(turns.values())
        for before, after in pairwise(listed):
            if after.request_id in facts and before.model is not None:
                one = found.setdefault(before.model, Followed())
                one.answers += 1
                one.asked_again += FACT in facts[after.request_id]
    return found
