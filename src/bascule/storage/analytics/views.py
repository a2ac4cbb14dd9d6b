"""What questions are asked of, as SQL: `attempts`, and the same as `sums`, of what lies in segments and of what was
loaded for them."""

from collections.abc import Collection, Sequence

from bascule.model.row import RowFilter
from bascule.storage.analytics.schema import (
    COLUMNS,
    DERIVED,
    STAGED,
    SUM_COLUMNS,
    each_sum_sql,
    literal,
    quoted,
    statements,
)
from bascule.storage.analytics.sources import Segment


def attempts_sql(segments: Sequence[Segment]) -> str:
    """What was loaded and the segments, each as far as it is fresh."""
    columns, text = _columns(COLUMNS, ()), statements("frame")
    parts = [text["of_loaded"].format(columns=columns)]
    whole = [segment for segment in segments if segment.fresh is None]
    if whole:
        paths = ", ".join([literal(str(segment.path)) for segment in whole])
        parts.append(text["of_segments"].format(columns=_columns(COLUMNS, _empty(whole)), paths=paths))
    for segment in segments:
        if segment.fresh is not None:
            spans = [f"ts_start_ms >= {since} AND ts_start_ms < {until}" for since, until in segment.fresh]
            fresh = " OR ".join(spans) or "false"
            parts.append(text["of_part"].format(columns=columns, paths=literal(str(segment.path)), fresh=fresh))
    return " UNION ALL ".join(parts)


def sums_sql(segments: Sequence[Segment], where: RowFilter) -> str:
    """The sums of segments whose whole day the question asks about, and all other attempts as sums of one each."""
    summed = [segment for segment in segments if _is_summed(segment, where)]
    parts = [each_sum_sql(f"({attempts_sql([one for one in segments if one not in summed])})")]
    if summed:
        paths = ", ".join([literal(str(segment.sums)) for segment in summed])
        columns = _columns(SUM_COLUMNS, _empty(summed))
        parts.append(statements("frame")["of_segments"].format(columns=columns, paths=paths))
    return " UNION ALL ".join(parts)


def _is_summed(segment: Segment, where: RowFilter) -> bool:
    """Whether the filter tells the rows of a segment apart by nothing but what their sums have in common."""
    since_ms, until_ms = segment.span
    return (
        segment.sums is not None
        and segment.fresh is None
        and where.attempt_id is None
        and where.request_id is None
        and (where.since_ms is None or where.since_ms <= since_ms)
        and (where.until_ms is None or where.until_ms >= until_ms)
    )


def _empty(segments: Sequence[Segment]) -> frozenset[str]:
    """Adding up nothing takes as long as adding up something, so it is not read."""
    return frozenset[str].intersection(*[segment.empty for segment in segments])


def _columns(names: Sequence[str], empty: Collection[str]) -> str:
    kinds = {**STAGED, **DERIVED}
    return ", ".join([f"NULL::{kinds[name]} AS {quoted(name)}" if name in empty else quoted(name) for name in names])
