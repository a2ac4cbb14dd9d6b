"""A running session's log, read a little at a time: what was read before is remembered beside other caches, so that a
long session is not read whole for every line of a status bar."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from bascule import __version__
from bascule.offline.imports.booking import Attribution, Booking
from bascule.offline.imports.claude_code import ORIGIN, ClaudeReader
from bascule.offline.imports.lines import BLOCK_BYTES, MAX_LINE_BYTES, BadLine, Lines, split_blocks
from bascule.offline.imports.sellers import Sellers
from bascule.offline.status_line import Call, call_of
from bascule.prices.book import PriceBook

STEP_BYTES = BLOCK_BYTES // 16
MOST_BYTES = 64 << 20
"""Of what is remembered of one log."""
KEPT_S = 14 * 86_400


class Read(Struct):
    """How far a log was read, and the calls in that part by their source id."""

    stamp: str
    """Program and prices: with others everything is read anew."""
    inode: int
    offset: int = 0
    calls: dict[str, Call] = {}


class Transcripts:
    """`late` tells when reading must end; the next look goes on from there.

    Each look reads a first step all the same: a machine so busy that starting took all the time must not show a line
    without a cost, nor one that never grows.
    """

    def __init__(self, late: Callable[[], bool], folder: Path | None = None) -> None:
        self._late = late
        self._went_on = False
        self.whole = True
        """Nothing was left to the next look."""
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        self._folder = folder or home / "bascule" / "statusline"
        sellers = Sellers(PriceBook())
        self._stamp = f"{__version__} {sellers.version}"
        self._booking = Booking(ORIGIN, sellers, Attribution())

    def calls(self, path: Path) -> list[Call]:
        """Those of a session and its sub-agents, as far as they could be read in time."""
        found: dict[str, Call] = {}
        for file in [path, *sorted((path.parent / path.stem / "subagents").glob("*.jsonl"))]:
            for source_id, call in self._of(file).items():
                _keep(found, source_id, call)
        return list(found.values())

    def _of(self, file: Path) -> dict[str, Call]:
        status = file.stat()
        read = self._recall(file)
        if read is None or read.stamp != self._stamp or read.inode != status.st_ino or read.offset > status.st_size:
            read = Read(self._stamp, status.st_ino)
        if read.offset < status.st_size and not (self._went_on and self._late()):
            before, self._went_on = read.offset, True
            self._on(file, read)
            if read.offset != before:
                self._remember(file, read)
        self.whole = self.whole and read.offset >= status.st_size
        return read.calls

    def _on(self, file: Path, read: Read) -> None:
        """Go on reading. A call whose lines lie on both sides of a break is met twice; the better reading stays."""

        def blocks() -> Iterator[Lines]:
            for block in split_blocks(stream, None, block_bytes=STEP_BYTES, max_line_bytes=MAX_LINE_BYTES):
                yield block
                if not block.cut:
                    read.offset += sum([len(line) + 1 for line in block.lines])
                if self._late():
                    return

        with file.open("rb", buffering=0) as stream:
            stream.seek(read.offset)
            for seen in ClaudeReader(titles=False).read(file, blocks()):
                if not isinstance(seen, BadLine):
                    _keep(read.calls, seen.source_id, call_of(self._booking.row(seen), seen.quality))

    def _place(self, file: Path) -> Path:
        return self._folder / f"{sha256(str(file).encode()).hexdigest()[:32]}.msgpack"

    def _recall(self, file: Path) -> Read | None:
        place = self._place(file)
        try:
            if place.stat().st_size > MOST_BYTES:
                return None
            return msgspec.msgpack.decode(place.read_bytes(), type=Read)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None  # the log itself is still there

    def _remember(self, file: Path, read: Read) -> None:
        """Whole or not at all. A folder that cannot be written costs time at the next line, no more."""
        place = self._place(file)
        with suppress(OSError):
            if not place.exists():
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._forget_old()
            draft = place.with_suffix(f".{os.getpid()}")
            draft.write_bytes(msgspec.msgpack.encode(read))
            draft.replace(place)

    def _forget_old(self) -> None:
        oldest_s = time.time() - KEPT_S
        for known in self._folder.iterdir():
            if known.stat().st_mtime < oldest_s:
                known.unlink(missing_ok=True)


def _keep(calls: dict[str, Call], source_id: str, call: Call) -> None:
    known = calls.get(source_id)
    if known is None or (known.quality, known.cost_nanousd or 0) < (call.quality, call.cost_nanousd or 0):
        calls[source_id] = call
