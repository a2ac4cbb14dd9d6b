"""The small logs under tests/fixtures/agent-logs, in the order in which they were written, and what readers need."""

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from msgspec import Struct

from bascule.model.imported import ImportCounts, Imported
from bascule.model.row import AttemptRow
from bascule.offline.imports.booking import Attribution, Booking
from bascule.offline.imports.claude_code import ClaudeReader
from bascule.offline.imports.codex import CodexReader
from bascule.offline.imports.lines import BadLine, read_blocks
from bascule.offline.imports.observed import Observed
from bascule.offline.imports.places import find_logs
from bascule.offline.imports.run import Run, Wanted
from bascule.offline.imports.sellers import Sellers
from bascule.offline.imports.tally import Tally
from bascule.prices.book import PriceBook

FIXTURES = Path(__file__).parents[3] / "fixtures" / "agent-logs"


SAMPLES = Path(__file__).parents[5] / "shared" / "data" / "agent-logs"

collect_ignore = [] if SAMPLES.exists() else ["test_samples.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if collect_ignore:
        terminalreporter.write_line(f"left out: tests/unit/offline/imports/test_samples.py, which reads {SAMPLES}")


class Kept:
    """An `ImportStore` in memory."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Imported] = {}

    def put(self, rows: Iterable[Imported]) -> ImportCounts:
        new = replaced = same = 0
        for each in rows:
            known = self.rows.get((each.source, each.source_id))
            assert each.row.attempt_id == f"{each.source}:{each.source_id}"
            if known is None:
                new += 1
            elif known.quality > each.quality or known == each:
                same += 1
                continue
            else:
                replaced += 1
            self.rows[each.source, each.source_id] = each
        return ImportCounts(new=new, replaced=replaced, same=same)

    def by_id(self) -> dict[str, AttemptRow]:
        return {each.source_id: each.row for each in self.rows.values()}


class Done(Struct):
    """An import that has run, and what it kept."""

    tally: Tally
    kept: Kept


@pytest.fixture
def sellers() -> Sellers:
    return Sellers(PriceBook())


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """The fixtures, copied, with the times of writing that the order of sessions goes by."""
    target = tmp_path / "agent-logs"
    shutil.copytree(FIXTURES, target)
    for place, path in enumerate(sorted(target.rglob("*.jsonl"), key=lambda path: path.name)):
        os.utime(path, (1_800_000_000 + place, 1_800_000_000 + place))
    return target


@pytest.fixture
def lines_of(tmp_path: Path) -> Callable[..., list[Observed | BadLine]]:
    """What Claude Code's reader makes of these lines, written as one session."""

    def read(*lines: str | bytes, name: str = "s.jsonl", **reader: bool) -> list[Observed | BadLine]:
        path = tmp_path / name
        path.write_bytes(b"\n".join([line.encode() if isinstance(line, str) else line for line in lines]) + b"\n")
        return list(ClaudeReader(**reader).read(path, read_blocks(path)))

    return read


@pytest.fixture
def imported(sellers: Sellers) -> Callable[..., Done]:
    """Import a folder into `Kept`; see `Done`."""

    def run(root: Path, kind: str, kept: Kept | None = None, wanted: Wanted | None = None, **who: str) -> Done:
        reader = ClaudeReader() if kind == "claude" else CodexReader()
        kept = kept or Kept()
        made = Run(
            reader=reader,
            booking=Booking(reader.origin, sellers, Attribution(**who)),
            put=kept.put,
            wanted=wanted or Wanted(),
        )
        inside = ("projects",) if kind == "claude" else ("sessions", "archived_sessions")
        return Done(made.files(find_logs([root], inside, given=True)), kept)

    return run
