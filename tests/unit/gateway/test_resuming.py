"""A session that may go on is named in the store, with its entry in the audit trail."""

from bascule.gateway.resuming import MAX_SESSIONS, resume, resumed
from bascule.storage.memory.governance import MemoryGovernance


def test_the_latest_are_remembered_and_each_is_audited() -> None:
    governance = MemoryGovernance()
    assert resumed(governance) == {}
    for number in range(MAX_SESSIONS + 5):
        resume(governance, f"s{number}", by="ann", now_ms=number)
    resume(governance, "s50", by="ann", now_ms=999)
    said = resumed(governance)
    assert len(said) == MAX_SESSIONS
    assert list(said)[-1] == "s50"
    assert said["s50"] == 999
    assert "s4" not in said
    entries = [(entry.action, entry.target) for entry in governance.audit()]
    assert entries[-1] == ("session.resume", "s50")
    assert governance.revision() == MAX_SESSIONS + 6
