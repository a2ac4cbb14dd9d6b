"""The logs that real clients wrote, read where they lie; no part of them is in this repository."""

from collections.abc import Callable

from tests.unit.offline.imports.conftest import SAMPLES, Done


def test_claude_code(imported: Callable[..., Done]) -> None:
    run = imported(SAMPLES / "claude", "claude")
    rows = run.kept.by_id().values()
    assert (run.tally.files, run.tally.rows, run.tally.bad_lines, run.tally.copies) == (3, 5, 0, 0)
    assert {row.usage_source for row in rows} == {"reported"}
    assert run.tally.tokens == 5 * (100 + 100 + 1_000 + 37)
    assert [row.agent_id for row in rows if row.agent_id] == ["ab65e8ab2bb369aaf"]


def test_codex(imported: Callable[..., Done]) -> None:
    run = imported(SAMPLES / "codex", "codex")
    assert (run.tally.rows, run.tally.bad_lines, run.tally.tokens) == (2, 0, 2_474)
