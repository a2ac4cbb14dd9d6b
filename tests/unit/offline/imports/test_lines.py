import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.offline.imports.lines import read_blocks, split_blocks, why_not_json


@given(st.binary(max_size=200).map(lambda raw: raw.replace(b"\r", b"")), st.integers(1, 64))
def test_blocks_of_any_size_give_the_lines_of_the_file(raw: bytes, block_bytes: int) -> None:
    blocks = list(split_blocks(io.BytesIO(raw), None, block_bytes=block_bytes, max_line_bytes=1_000))
    numbered = [(block.first + place, line) for block in blocks for place, line in enumerate(block.lines)]
    whole = raw.split(b"\n")
    if not whole[-1]:
        whole.pop()
    assert numbered == list(enumerate(whole, start=1))
    assert any(block.cut for block in blocks) == bool(raw and not raw.endswith(b"\n"))


@given(st.lists(st.integers(0, 40), max_size=12), st.integers(1, 64), st.booleans())
def test_long_lines_are_passed_over_and_named_wherever_blocks_end(
    sizes: list[int], block_bytes: int, ended: bool
) -> None:
    raw = b"\n".join([b"x" * size for size in sizes]) + (b"\n" if ended and sizes else b"")
    long, lines = [], {}
    for block in split_blocks(io.BytesIO(raw), None, block_bytes=block_bytes, max_line_bytes=20):
        long += block.too_long
        lines.update(enumerate(block.lines, start=block.first))
    assert long == [number for number, size in enumerate(sizes, start=1) if size > 20]
    kept = {number: b"x" * (0 if size > 20 else size) for number, size in enumerate(sizes, start=1)}
    assert {number: line for number, line in lines.items() if line} == {n: line for n, line in kept.items() if line}


def test_progress_is_told_of_every_byte(tmp_path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"{}\n" * 1_000)
    told: list[int] = []
    for _ in read_blocks(path, told.append, block_bytes=700):
        pass
    assert sum(told) == 3_000


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"a":1}', None),
        (b' {"a":1}\r', None),
        (b'{"a":"b', "cut off in the middle"),
        (b"hello", "not an object of JSON"),
        (b"[1]", "not an object of JSON"),
    ],
)
def test_the_ends_of_a_line_tell_whether_it_can_be_json(line: bytes, why: str | None) -> None:
    assert why_not_json(line, last=False) == why


def test_the_last_line_may_still_be_being_written() -> None:
    assert "still be being written" in str(why_not_json(b'{"a":', last=True))
