"""Stopped sessions that somebody lets go on: said in the store, heard by every process that serves."""

import msgspec

from bascule.ports import Governance

SETTING = "sessions_resumed"
MAX_SESSIONS = 100
"""The latest that are remembered; every process has long heard of those before."""


def resume(governance: Governance, session_id: str, *, by: str, now_ms: int) -> None:
    """Say that a session may go on. Gateways hear of it within a second. Raises StoreError."""
    said = resumed(governance)
    said.pop(session_id, None)
    latest = [*said.items(), (session_id, now_ms)][-MAX_SESSIONS:]
    governance.set_setting(SETTING, msgspec.json.encode(dict(latest)).decode())
    governance.record(ts_ms=now_ms, by=by, action="session.resume", target=session_id, detail={})


def resumed(governance: Governance) -> dict[str, int]:
    """When each was let go on, in milliseconds. Raises StoreError."""
    text = governance.setting(SETTING)
    return {} if text is None else msgspec.json.decode(text, type=dict[str, int])
