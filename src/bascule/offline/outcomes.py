"""Outcomes as documents."""

from typing import Any

from bascule.model.session_outcome import SessionOutcome
from bascule.offline.moment import iso_time


def outcome_payload(said: SessionOutcome) -> dict[str, Any]:
    """One statement; neither `outcome` nor `score`: the source took back what it had said."""
    return {
        "session_id": said.session_id,
        "request_id": said.request_id,
        "part": said.part,
        "work": said.work,
        "at": iso_time(said.at_ms),
        "outcome": said.outcome,
        "score": said.score,
        "source": said.source,
        "note": said.note,
    }
