"""Reading journals that others write or wrote: whole chains for recovery, undrained tails for exports.

A writer may die inside a `write`, so the last line of a file may be torn; that is reported and never more than
that. Anything else that cannot be read is damage: it is named, and the lines around it are still read.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from bascule.model.chain import (
    KIND_OF,
    ChainedLine,
    ChainHead,
    StoredLine,
    chain_start,
    decode_chained,
    next_chain,
    seq_of,
)
from bascule.model.entry import Adjustment, Decision, Intent, Line, Settlement
from bascule.model.errors import StoreError
from bascule.ports import Damage
from bascule.storage.journal.segments import first_seq_of, segments_by_chain


class Reading(Struct):
    """What was odd on the way. `torn` are unfinished last lines, `damages` everything worse."""

    torn: list[Damage] = []
    damages: list[Damage] = []


def read_chain(
    chain_id: str, segments: Sequence[Path], reading: Reading, after: ChainHead | None = None
) -> Iterator[ChainedLine]:
    """The lines of one chain that come after `after`, their links checked as they are read.

    Segments that vanish meanwhile are skipped: they go only after the store has taken them.
    """
    seq, chain = (after.seq, after.chain) if after is not None else (0, chain_start(chain_id))
    start = seq
    for index, segment in enumerate(segments):
        if index + 1 < len(segments) and first_seq_of(segments[index + 1]) <= start + 1:
            continue
        for where, line in _lines_of(segment, reading, after_seq=start):
            if line.seq != seq + 1:
                reading.damages.append(Damage(where, f"line {line.seq} follows line {seq}"))
            elif next_chain(chain, line.body) != line.chain:
                reading.damages.append(Damage(where, f"line {line.seq} does not hang on line {seq}"))
            seq, chain = line.seq, line.chain
            yield line


def _lines_of(segment: Path, reading: Reading, after_seq: int) -> Iterator[tuple[str, ChainedLine]]:
    try:
        stream = segment.open("rb")
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"{segment} cannot be read: {error.strerror}. Check its owner and the disk") from error
    with stream:
        unread: Damage | None = None
        for number, text in enumerate(stream, start=1):
            if unread is not None:
                reading.damages.append(unread)
                unread = None
            where = f"{segment.name}:{number}"
            if not text.endswith(b"\n"):
                reading.torn.append(Damage(where, f"unfinished line of {len(text)} bytes"))
                return
            if after_seq and _seq_or_zero(text) in range(1, after_seq + 1):
                continue
            try:
                line = decode_chained(text)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                unread = Damage(where, f"not a ledger line: {error}")
                continue
            yield where, line
        if unread is not None:
            # The very last line, with a newline but unreadable: blocks that power loss left half written.
            reading.torn.append(unread)


def _seq_or_zero(text: bytes) -> int:
    try:
        return seq_of(text)
    except ValueError:
        return 0  # then decoding the line will say what is wrong with it


class Tail(Struct):
    """What journals hold beyond a store's heads, by what it is about."""

    intents: dict[str, tuple[Intent, str]] = {}
    settlements: dict[str, tuple[Settlement, str]] = {}
    """Line and link, by attempt."""
    adjustments: dict[str, Adjustment] = {}
    decisions: list[Decision] = []


def read_tail(directory: Path, heads: dict[str, ChainHead], reading: Reading) -> Tail:
    """Everything in the journals of `directory` that is not yet in a store with these `heads`.

    Take `heads` before calling and look into the store afterwards: what was drained in between is then in both,
    never in neither.
    """
    tail = Tail()
    for chain_id, segments in segments_by_chain(directory).items():
        for line in read_chain(chain_id, segments, reading, heads.get(chain_id)):
            sort_in(tail, line.line, line.chain)
    return tail


def sort_in(tail: Tail, line: Line, chain: str) -> None:
    """Add one line; `chain` is its link."""
    match line:
        case Intent():
            tail.intents.setdefault(line.attempt_id, (line, chain))
            if line.decided is not None:
                tail.decisions.append(line.decided)
        case Settlement():
            tail.settlements.setdefault(line.attempt_id, (line, chain))
        case Adjustment():
            tail.adjustments.setdefault(line.adjustment_id, line)
        case Decision():
            tail.decisions.append(line)


def filed_lines(directory: Path, reading: Reading) -> dict[str, list[StoredLine]]:
    """Every readable line in the journal files, by chain, unchecked: for `ledger verify`."""
    found: dict[str, list[StoredLine]] = {}
    for chain_id, segments in segments_by_chain(directory).items():
        found[chain_id] = [
            StoredLine(line.seq, line.chain, line.body, KIND_OF[type(line.line)], attempt_of(line.line))
            for segment in segments
            for _, line in _lines_of(segment, reading, after_seq=0)
        ]
    return found


def attempt_of(line: Line) -> str | None:
    """The attempt that a line is about; a decision is about a request."""
    return None if isinstance(line, Decision) else line.attempt_id
