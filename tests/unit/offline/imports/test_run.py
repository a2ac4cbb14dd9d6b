"""What a run does besides reading: batches, lost files, calls in pieces."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from tests.unit.offline.imports.conftest import Kept

from bascule.model.imported import ImportCounts, Imported
from bascule.offline.imports import claude_code
from bascule.offline.imports import run as running
from bascule.offline.imports.booking import Attribution, Booking
from bascule.offline.imports.claude_code import ClaudeReader
from bascule.offline.imports.lines import BadLine, Lines
from bascule.offline.imports.observed import Given, Observed
from bascule.offline.imports.places import find_logs
from bascule.offline.imports.run import Run, Wanted
from bascule.offline.imports.sellers import Sellers


def call(number: int, second: int = 0, out: int = 50) -> str:
    usage = {"input_tokens": 10, "output_tokens": out, "cache_creation_input_tokens": 0}
    message = {"model": "claude-opus-4-6", "id": f"m{number}", "content": [], "stop_reason": "end_turn", "usage": usage}
    told = {"type": "assistant", "requestId": f"r{number}", "uuid": f"u{number}.{second}", "message": message}
    return json.dumps(told | {"timestamp": f"2026-10-01T08:00:{second:02d}Z"})


def prepared(sellers: Sellers, kept: Kept) -> Run:
    reader = ClaudeReader()
    return Run(reader=reader, booking=Booking(reader.origin, sellers, Attribution()), put=kept.put, wanted=Wanted())


def test_rows_are_put_in_batches_and_none_is_left(
    tmp_path: Path, sellers: Sellers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH_ROWS", 4)
    (tmp_path / "a.jsonl").write_text("\n".join([call(n) for n in range(10)]))
    sizes: list[int] = []

    class Watched(Kept):
        def put(self, rows: Iterable[Imported]) -> ImportCounts:
            batch = list(rows)
            sizes.append(len(batch))
            return super().put(batch)

    kept = Watched()
    tally = prepared(sellers, kept).files(find_logs([tmp_path], (), given=True))
    assert sizes == [4, 4, 2]
    assert (tally.new, len(kept.rows)) == (10, 10)


def test_a_call_whose_lines_lie_further_apart_than_is_remembered_is_one(
    tmp_path: Path, sellers: Sellers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claude_code, "MAX_OPEN", 4)
    lines = [call(0, 0), *[call(n, n) for n in range(1, 20)], call(0, 59)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(
        "bascule.offline.imports.lines.read_blocks.__kwdefaults__", {"block_bytes": 400, "max_line_bytes": 9_999}
    )
    kept = Kept()
    tally = prepared(sellers, kept).files(find_logs([tmp_path], (), given=True))
    assert (tally.rows, tally.copies, len(kept.rows)) == (20, 1, 20)
    assert tally.cost_nanousd == 20 * (10 * 5_000 + 50 * 25_000)


def test_a_file_that_has_gone_is_named_and_the_rest_is_read(tmp_path: Path, sellers: Sellers) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text(call(1) + "\n")
    found = find_logs([tmp_path], (), given=True)
    (tmp_path / "a.jsonl").unlink()
    tally = prepared(sellers, Kept()).files(found)
    assert (tally.files, tally.rows) == (1, 1)
    assert [(Path(lost.file).name, lost.why) for lost in tally.unreadable] == [("a.jsonl", "No such file or directory")]
    assert not tally.is_unreadable
    (tmp_path / "b.jsonl").unlink()
    assert prepared(sellers, Kept()).files(found).is_unreadable


def test_the_tally_sums_what_the_rows_say(tmp_path: Path, sellers: Sellers) -> None:
    (tmp_path / "a.jsonl").write_text("\n".join([call(n, out=n) for n in range(1, 30)]) + "\n")
    kept = Kept()
    tally = prepared(sellers, kept).files(find_logs([tmp_path], (), given=True))
    rows = [each.row for each in kept.rows.values()]
    assert tally.cost_nanousd == sum([row.cost_nanousd or 0 for row in rows])
    assert tally.tokens == sum([(row.tokens_in or 0) + (row.tokens_out or 0) for row in rows])
    assert tally.first_ms == tally.last_ms == rows[0].ts_start_ms
    assert tally.lines == 29


class Whatever:
    """A reader that gives what it was given."""

    api_errors = 0

    def __init__(self, items: list[Observed | Given | BadLine]) -> None:
        self._items = items

    def read(self, path: Path, blocks: Iterator[Lines]) -> Iterator[Observed | Given | BadLine]:
        for _ in blocks:
            pass
        yield from self._items


def test_bad_lines_are_counted_beyond_those_that_are_named(
    tmp_path: Path, sellers: Sellers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bascule.offline.imports.tally.MAX_BAD_LINES", 3)
    (tmp_path / "a.jsonl").write_text("x\n" * 7)
    reader = Whatever([BadLine("a", n, "bad") for n in range(7)])
    made = Run(reader=reader, booking=Booking(claude_code.ORIGIN, sellers, Attribution()), put=None, wanted=Wanted())
    tally = made.files(find_logs([tmp_path], (), given=True))
    assert (tally.bad_lines, len(tally.bad)) == (7, 3)
    assert tally.is_unreadable
