"""Percentiles by nearest rank, exact and in integers: of each group, and of all groups together.

Values are counted by bucket, a bucket for each percentile follows from the counts, and only of those buckets is it
looked up which value it is. Buckets grow with the fourth root of what is in them: a group has some hundreds, whatever
its values are. Square roots are rounded correctly (IEEE 754), so a greater value is never in a lesser bucket.
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
_ROOTS = "(sign({{value}}) * floor({scale} * sqrt(sqrt(abs({{value}}::DOUBLE)))))::INTEGER"
TIMES = _ROOTS.format(scale=16)
AMOUNTS = _ROOTS.format(scale=4)
VALUES = "{value}"
"""Each value a bucket of its own: where there are few groups, of few different values, that is all that is to do."""


class _Part(Struct, frozen=True):
    rows: str
    value: str
    scope: int = 0
    """1: what counts in groups alone, 2: in all of them together alone."""


def of_attempts(found: Frame, count: int, rows: str, value: str, bucket: str) -> Percentiles:
    """The 50th and 95th of a column of `rows`, where it is known."""
    return _percentiles(found, count, (_Part(rows, value),), bucket, (50, 95))


def of_requests(found: Frame, count: int, rows: str, units: str, values: tuple[str, str], bucket: str) -> Percentiles:
    """The medians of what requests come to, where it is known: `values` is a column of `rows` for those of one attempt,
    and of `units` and `several` for the others. Such a request is one in each group that it falls into, and one of all.
    """
    lone, several = values
    parts = (_Part(f"(FROM {rows} WHERE lone)", lone), _Part(units, several, 1), _Part("several", several, 2))
    return _percentiles(found, count, parts, bucket, (50,))


def _percentiles(
    found: Frame, count: int, parts: Sequence[_Part], bucket: str, percents: Sequence[int]
) -> Percentiles:
    names = {"g": group_names(count), "no_g": _no_group(count)}
    found.run("percentiles", "counted", parts=_united("counted_part", count, parts, bucket))
    found.run("percentiles", "hits", **names, percents=", ".join([f"({percent})" for percent in percents]))
    if bucket == VALUES:
        lines = found.run("percentiles", "found", **names)
    else:
        found.run("percentiles", "sought", **names)
        found.run("percentiles", "met", parts=_united("met_part", count, parts, bucket))
        same = same_group(count, "v", "hits")
        lines = found.run("percentiles", "fine", **names, h_g=group_names(count, "hits."), same_group=same)
    return {ALL if of_all else tuple(line[:-2]): tuple(line[-2:]) for of_all, *line in lines}


def _united(statement: str, count: int, parts: Sequence[_Part], bucket: str) -> str:
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
                bucket=bucket.format(value=part.value),
                same_group=same_group(count, "sought", "v"),
            )
        )
    return " UNION ALL ".join(made)


def _no_group(count: int) -> str:
    return ", ".join([f"NULL AS g{index}" for index in range(max(count, 1))])
