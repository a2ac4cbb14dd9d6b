"""Log files as numbered lines, in blocks, so that memory does not grow with the file."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from msgspec import Struct

BLOCK_BYTES = 4 << 20
MAX_LINE_BYTES = 32 << 20
"""A longer line is not read; it is named. Agents write whole files and images into lines, but not that much."""


class BadLine(Struct, frozen=True):
    """A line that could not be used. `line` counts from 1; 0 is the file as a whole."""

    file: str
    line: int
    why: str


class Lines(Struct, frozen=True):
    """Some lines of a file, without their ends. `first` is the number of the first of them."""

    first: int
    lines: list[bytes]
    too_long: tuple[int, ...] = ()
    """Numbers of lines that were passed over; they stand as empty ones in `lines`."""
    cut: bool = False
    """The last of them ends the file and has no line end: it may still be being written."""


def read_blocks(
    path: Path,
    progress: Callable[[int], object] | None = None,
    *,
    block_bytes: int = BLOCK_BYTES,
    max_line_bytes: int = MAX_LINE_BYTES,
) -> Iterator[Lines]:
    """The file's lines, a block at a time; `progress` is told of every so many bytes. Raises OSError."""
    with path.open("rb", buffering=0) as stream:
        yield from split_blocks(stream, progress, block_bytes=block_bytes, max_line_bytes=max_line_bytes)


def split_blocks(
    stream: IO[bytes], progress: Callable[[int], object] | None, *, block_bytes: int, max_line_bytes: int
) -> Iterator[Lines]:
    number = 1
    parts: list[bytes] = []  # of a line that began in an earlier block
    held, skipping = 0, False
    while block := stream.read(block_bytes):
        if progress is not None:
            progress(len(block))
        lines = block.split(b"\n")
        rest = lines.pop()
        if not lines:
            if not skipping:
                parts.append(rest)
                held += len(rest)
                if held > max_line_bytes:
                    parts, held, skipping = [], 0, True
            continue
        long: list[int] = []
        if skipping or held + len(lines[0]) > max_line_bytes:
            lines[0] = b""
            long.append(number)
        elif parts:
            lines[0] = b"".join([*parts, lines[0]])
        if block_bytes > max_line_bytes:
            for index, line in enumerate(lines):
                if len(line) > max_line_bytes:
                    lines[index] = b""
                    long.append(number + index)
        yield Lines(number, lines, tuple(long))
        number += len(lines)
        skipping = len(rest) > max_line_bytes
        parts, held = ([], 0) if skipping or not rest else ([rest], len(rest))
    if skipping:
        yield Lines(number, [b""], (number,))
    elif parts:
        yield Lines(number, [b"".join(parts)], cut=True)


def why_not_json(line: bytes, *, last: bool) -> str | None:
    """Why a line cannot be an object of JSON, told from its two ends alone; None where it may be one."""
    if line.startswith(b"{") and line.endswith(b"}"):
        return None
    stripped = line.strip()
    if stripped.startswith(b"{") and stripped.endswith(b"}"):
        return None
    if stripped.startswith(b"{"):
        return "cut off in the middle" + ("; it may still be being written" if last else "")
    return "not an object of JSON"
