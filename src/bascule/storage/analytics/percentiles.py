"""Percentiles by nearest rank, exact and in integers: of each group, and of all groups together.

Values are counted by bucket, a bucket for each percentile follows from the counts, and only of those buckets is it
looked up which value it is. Buckets grow with the fourth root of what is in them, so that a group has some hundreds,
whatever its values are. Square roots are rounded correctly (IEEE 754): a greater value is never in a lesser bucket.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from bascule.storage.analytics.frame import Frame, group_names, same_group
from bascule.storage.analytics.schema import statements

Key = tuple[Any, ...]
Percentiles = dict[Key, tuple[int | None, int | None]]
"""The 50th and the 95th, where asked for, by group; of all groups together under `ALL`."""

ALL: Key = ("all",)


class _Part(Struct, frozen=True):
    rows: str
    value: str
    scale: int | None
    """Of its buckets; None makes each value one."""
    scope: int = 0
    """1: what counts in groups alone, 2: in all of them together alone."""


def of_attempts(found: Frame, count: int, rows: str, value: str, *, exact: bool) -> Percentiles:
    """The 50th and 95th of a column of `rows` that holds times, where they are known. `exact`: each value is a bucket
    of its own, which leaves nothing to look up and pays where there are few groups."""
    part = _Part(rows, value, None if exact else 16)
    return _percentiles(found, count, (part,), (50, 95), exact=exact)


def of_requests(found: Frame, count: int, rows: str, units: str, lone: str, several: str) -> Percentiles:
    """The medians of what requests come to, where it is known: a column of `rows` for those of one attempt, and of
    `units` and `several` for the others. Such a request is one in each group that it falls into, and one of all.
    """
    parts = (_Part(f"(FROM {rows} WHERE lone)", lone, 4), _Part(units, several, 4, 1), _Part("several", several, 4, 2))
    return _percentiles(found, count, parts, (50,))


def _percentiles(
    found: Frame, count: int, parts: Sequence[_Part], percents: Sequence[int], *, exact: bool = False
) -> Percentiles:
    names = {"g": group_names(count), "no_g": _no_group(count)}
    found.run("percentiles", "counted", parts=_united("counted_part", count, parts))
    found.run("percentiles", "hits", **names, percents=", ".join([f"({percent})" for percent in percents]))
    if exact:
        lines = found.run("percentiles", "found", **names)
    else:
        found.run("percentiles", "sought", **names)
        found.run("percentiles", "met", parts=_united("met_part", count, parts))
        same = same_group(count, "v", "hits")
        lines = found.run("percentiles", "fine", **names, h_g=group_names(count, "hits."), same_group=same)
    return {ALL if of_all else tuple(line[:-2]): tuple(line[-2:]) for of_all, *line in lines}


def _united(statement: str, count: int, parts: Sequence[_Part]) -> str:
    text, made = statements("percentiles")[statement], []
    for part in parts:
        of_all = part.scope == 2
        made.append(
            text.format(
                g=_no_group(count) if of_all else group_names(count),
                group_by="" if of_all else f"{group_names(count)},",
                scope=part.scope,
                rows=part.rows,
                value=part.value,
                bucket=_bucket(part),
                same_group=same_group(count, "sought", "v"),
            )
        )
    return " UNION ALL ".join(made)


def _bucket(part: _Part) -> str:
    value = part.value
    if part.scale is None:
        return value
    return f"(sign({value}) * floor({part.scale} * sqrt(sqrt(abs({value}::DOUBLE)))))::INTEGER"


def _no_group(count: int) -> str:
    return ", ".join([f"NULL AS g{index}" for index in range(max(count, 1))])
