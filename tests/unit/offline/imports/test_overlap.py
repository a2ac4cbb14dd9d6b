import pytest

from bascule.model.row import AttemptRow
from bascule.offline.imports.overlap import ThroughGateway


def row(start_ms: int, end_ms: int | None, session: str | None = "s", origin: str = "gateway") -> AttemptRow:
    return AttemptRow(
        kind="settle", origin=origin, attempt_id=f"a{start_ms}", request_id="r", attempt_no=1, session_id=session,
        ts_start_ms=start_ms, ts_end_ms=end_ms, chain="",
    )  # fmt: skip


LEDGER = [row(100_000, 160_000), row(110_000, 120_000), row(300_000, None), row(500_000, 510_000, origin="codex")]


@pytest.mark.parametrize(
    ("end_ms", "known"),
    [
        (90_000, False),
        (99_000, True),
        (150_000, True),
        (161_500, True),
        (170_000, False),
        (301_000, True),
        (505_000, False),
    ],
)
def test_a_call_that_ended_during_an_attempt_of_its_session_is_known(end_ms: int, known: bool) -> None:
    asked: list[str] = []

    def attempts_of(session: str) -> list[AttemptRow]:
        asked.append(session)
        return LEDGER if session == "s" else []

    gateway = ThroughGateway(attempts_of)
    for _ in range(2):
        assert gateway.has(row(end_ms - 5_000, end_ms)) is known
    assert asked == ["s"]
    assert not gateway.has(row(150_000, 150_000, session="other"))
    assert not gateway.has(row(150_000, 150_000, session=None))
