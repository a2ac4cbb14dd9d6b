"""Readings of imported rows against those that are there: what is new, better, or the same. For every store."""

from collections.abc import Callable, Iterable

from msgspec import Struct

from bascule.model.errors import BasculeError
from bascule.model.imported import ImportCounts, Imported, import_id
from bascule.model.row import AttemptRow
from bascule.ports import HOUR_MS, HourOf
from bascule.storage.packed import checksum, own_part, shared_part

ImportName = tuple[str, str]
"""Source and the id that the source gives."""
Reading = tuple[int, int, int, bytes, int]
"""As it is to be kept, or as it is: quality, ts_start_ms, profile_no, own part, checksum of the request's id."""


class Packed(Struct, frozen=True):
    """A reading on its way into a store."""

    name: ImportName
    crc: int
    quality: int
    row: AttemptRow
    shared: bytes
    own: bytes
    request_crc: int


def packed_of(each: Imported) -> Packed:
    """Raises BasculeError for a row that is not one of its source."""
    row, source, source_id = each.row, each.source, each.source_id
    name = import_id(source, source_id)
    if row.kind != "import" or row.origin != source or row.attempt_id != name or row.held:
        raise BasculeError(
            f"{row.attempt_id!r} is no imported row of {source!r}: it needs kind 'import', origin {source!r}, "
            f"attempt_id {name!r}, and holds nothing"
        )
    crc = checksum(name)
    request_crc = crc if row.request_id == name else checksum(row.request_id)
    return Packed((source, source_id), crc, each.quality, row, shared_part(row), own_part(row), request_crc)


def merged(
    group: Iterable[Packed], before: dict[ImportName, Reading], profile_no_of: Callable[[Packed], int]
) -> tuple[dict[ImportName, Reading], ImportCounts]:
    """What is to be kept of a group where `before` is there, and how much of it is new, better or the same."""
    new = replaced = same = 0
    after: dict[ImportName, Reading] = {}
    for each in group:
        reading = (each.quality, each.row.ts_start_ms, profile_no_of(each), each.own, each.request_crc)
        known = after.get(each.name) or before.get(each.name)
        if known is None:
            new += 1
        elif known[0] > each.quality or known == reading:
            same += 1
            continue
        else:
            replaced += 1
        after[each.name] = reading
    return after, ImportCounts(new=new, replaced=replaced, same=same)


def changed_hours(before: dict[ImportName, Reading], after: dict[ImportName, Reading]) -> set[HourOf]:
    """The hours that those rows lie in, and lay in before."""
    hours: set[HourOf] = set()
    for name, reading in after.items():
        hours.add((name[0], reading[1] // HOUR_MS))
        if name in before:
            hours.add((name[0], before[name][1] // HOUR_MS))
    return hours
