"""Recorded content as documents, and its erasure with an entry in the audit trail."""

from typing import Any

from bascule.model.content import Recording, Subject
from bascule.ports import ContentStore, Governance

ERASE = "content.erase"
SHOW = "content.show"


def recording_payload(recording: Recording) -> dict[str, Any]:
    """`request` and `answer` as text: JSON or events as they were on the wire; other bytes are shown as U+FFFD."""
    return {
        "attempt_id": recording.attempt_id,
        "request_id": recording.request_id,
        "ts_ms": recording.ts_ms,
        "key": recording.key,
        "user": recording.user,
        "session_id": recording.session_id,
        "status": recording.status,
        "request": _text(recording.request),
        "answer": _text(recording.answer),
        "request_bytes": recording.request_bytes,
        "answer_bytes": recording.answer_bytes,
        "request_digest": recording.request_digest,
        "answer_digest": recording.answer_digest,
        "cut": recording.cut,
    }


def erase(store: ContentStore, governance: Governance, subject: Subject, *, by: str, now_ms: int) -> int:
    """Delete a subject's content, and write down that it was done: the intention first, so that no erasure is without
    an entry. Says how many recordings and replies there were. Raises StoreError."""
    governance.record(ts_ms=now_ms, by=by, action=ERASE, target=str(subject), detail={})
    return store.erase(subject, at_ms=now_ms)


def show(store: ContentStore, governance: Governance, request_id: str, *, by: str, now_ms: int) -> list[Recording]:
    """The recordings of a request; who looked is written down first. Raises StoreError."""
    governance.record(ts_ms=now_ms, by=by, action=SHOW, target=request_id, detail={})
    return store.of_request(request_id)


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode("utf-8", "replace")
