"""A connection with the rows of one question: `attempts` as they are stored, `framed` filtered and with groups.

`g0`, `g1`, … are the values of the dimensions asked for (one constant where none is), `work` tells apart what runs
are for. `groups` has the sums of each group, and `several` and `units` the requests of more than one attempt.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from bascule.model.errors import StoreError
from bascule.model.report import TERMS, Terms
from bascule.model.row import RowFilter
from bascule.model.sums import TOKENS
from bascule.storage.analytics.connect import connect
from bascule.storage.analytics.dimensions import Read, read
from bascule.storage.analytics.load import create_table, load_rows
from bascule.storage.analytics.schema import (
    EACH,
    quoted,
    statements,
)
from bascule.storage.analytics.sources import Portion, Segment
from bascule.storage.analytics.views import attempts_sql, sums_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_FILTERED = ("key", "session_id", "model", "origin", "attempt_id", "request_id")
"""Texts of a `RowFilter`, each a column of its name."""


class Frame(Struct, frozen=True):
    """An open connection and how its groups are called."""

    connection: "DuckDBPyConnection"
    where: RowFilter

    def run(self, file: str, statement: str, **parts: str) -> list[tuple[Any, ...]]:
        """Run a named statement with its parts filled in."""
        found: list[tuple[Any, ...]] = self.connection.execute(statements(file)[statement].format(**parts)).fetchall()
        return found


class Loaded(Struct, frozen=True):
    """Rows that questions are asked of: those of segments, and the others in the table `loaded`."""

    connection: "DuckDBPyConnection"
    segments: tuple[Segment, ...]


@contextmanager
def loaded(portion: Portion) -> Iterator[Loaded]:
    """A database with the rows of a portion. Raises StoreError."""
    with tempfile.TemporaryDirectory(prefix="bascule-analytics-") as folder:
        temporary = Path(folder)
        with connect(temporary) as connection, _told():
            create_table(connection, "loaded")
            load_rows(connection, portion.rows, temporary, "loaded")
            yield Loaded(connection, portion.segments)


@contextmanager
def asked(rows: Loaded, where: RowFilter) -> Iterator[Frame]:
    """`attempts` for one question, with at least what the filter admits. Raises StoreError.

    A cursor is a connection of its own: views, temporary tables and variables of one question are not another's.
    """
    with rows.connection.cursor() as cursor, _told():
        found = Frame(cursor, where)
        found.run("frame", "attempts", parts=attempts_sql(rows.segments))
        found.run("frame", "sums", parts=sums_sql(rows.segments, where))
        for name in _FILTERED:
            cursor.execute(f"SET VARIABLE filter_{name} = $value", {"value": getattr(where, name)})
        yield found


@contextmanager
def opened(portion: Portion, where: RowFilter) -> Iterator[Frame]:
    """`attempts`, read for this question alone. Raises StoreError."""
    with loaded(portion) as rows, asked(rows, where) as found:
        yield found


@contextmanager
def _told() -> Iterator[None]:
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException as error:
        message = "this report needs more memory than it may have; ask for a shorter period or fewer dimensions"
        raise StoreError(message) from error
    except duckdb.Error as error:
        raise StoreError(
            f"the ledger cannot be analysed: {error}; if a file under segments/ is named, delete it and run "
            "`bascule ledger compact`"
        ) from error


def frame(
    found: Frame, by: Sequence[str], *, terms: Terms = TERMS, rates: bool = False, source: str = "attempts"
) -> tuple[Read, ...]:
    """Make `framed`, and `placed`, which also knows which attempts are alone in their requests."""
    reads = framed(found, by, terms=terms, rates=rates, source=source)
    found.run("frame", "strays")
    (strays,) = found.connection.execute("SELECT count(*) FROM strays").fetchall()
    found.run("frame", "placed" if strays[0] else "placed_without_strays")
    return reads


def framed(
    found: Frame,
    by: Sequence[str],
    *,
    terms: Terms = TERMS,
    rates: bool = False,
    more: Sequence[str] = (),
    source: str = "attempts",
) -> tuple[Read, ...]:
    """Make `framed`: the rows that the filter admits, with their groups, and `framed_sums`: the same summed up where
    groups allow it. `more` are groups in SQL over `a`, by what `SUM_KEYS` has."""
    reads = tuple([read(name) for name in by])
    where = condition(found.where)
    joins: list[str] = []
    if any(one.by_request for one in reads):
        found.run("frame", "bests", source=source, where=where)
        joins.append("LEFT JOIN bests ON a.request_key = bests.request_key")
    groups = [_joined(found, joins, one, terms, where) for one in reads] or ["0"]
    if rates:
        groups.append("a.rates")
    groups += more
    parts = {"work": _work(found, joins, terms, where), "joins": " ".join(joins), "where": where}
    parts["groups"] = ", ".join([f"{expression} AS g{index}" for index, expression in enumerate(groups)])
    by_attempt = source != "attempts" or any(one.by_attempt for one in (*reads, *[read(name) for name in terms.same]))
    found.run("frame", "framed", name="framed", source=source, **parts)
    if by_attempt:
        found.run("frame", "each_framed", each=EACH)
    else:
        found.run("frame", "framed", name="framed_sums", source="sums", **parts)
    return reads


def group_names(count: int, prefix: str = "") -> str:
    """`g0, g1` as a list of columns; one where nothing is grouped by."""
    return ", ".join([f"{prefix}g{index}" for index in range(max(count, 1))])


def same_group(count: int, left: str, right: str) -> str:
    """A condition that holds for rows of one group, unknown values included."""
    return " AND ".join([f"{left}.g{index} IS NOT DISTINCT FROM {right}.g{index}" for index in range(max(count, 1))])


_TIMES = "min(ts_start_ms) AS first_ms, max(last_end_ms) AS last_ms"
_STARTS = "min(ts_start_ms) AS first_ms, max(last_start_ms) AS last_ms"


def sum_up(
    found: Frame, count: int, *, times: bool = False, rows: str = "placed", sums: str = "framed_sums", prefix: str = ""
) -> None:
    """Make `shared`, `several`, `units` and `groups` of these rows and sums, the last two under names with a prefix;
    `times` tells when each began and ended, else when its first and its last attempt began."""
    names, units = group_names(count), f"{prefix}units"
    found.run("frame", "shared", g=names, rows=rows)
    found.run("frame", "several")
    found.run("frame", "units", g=names, units=units)
    found.run(
        "frame",
        "groups",
        g=names,
        groups=f"{prefix}groups",
        sums=sums,
        units=units,
        tokens=" + ".join([f"coalesce({name}, 0)" for name in TOKENS]),
        times=_TIMES if times else _STARTS,
        same_group=same_group(count, "summed", "corrected"),
    )


def _joined(found: Frame, joins: list[str], one: Read, terms: Terms, where: str) -> str:
    """The expression of a dimension, with what it needs joined."""
    expression = one.expression
    if one.tag is not None:
        expression = expression.format(tag=_tag(found, joins, one.tag, where))
    if one.by_project:
        _departments(found, joins, terms)
    if one.by_fate and terms.fates:
        expression = f"coalesce({_fate(found, joins, terms, where)}, {expression})"
    return expression


def _tag(found: Frame, joins: list[str], tag: str, where: str) -> str:
    """The expression of a tag's value."""
    table = f"tagged_{len(joins)}"
    found.connection.execute("SET VARIABLE tag = $tag", {"tag": tag})
    found.run("frame", "tagged", table=table, where=where)
    joins.append(f"JOIN {table} ON a.tags = {table}.tags")
    return f"{table}.value"


def _fate(found: Frame, joins: list[str], terms: Terms, where: str) -> str:
    """The expression of what became of a row's work; NULL where that is not known."""
    table = f"fates_{len(joins)}"
    columns = zip(
        *[(fate.session_id, fate.pr, fate.branch, fate.project, fate.outcome) for fate in terms.fates], strict=True
    )
    statement = statements("frame")["fates"].format(table=table)
    found.connection.execute(statement, [list(column) for column in columns])
    pr = f"coalesce(nullif(a.pr, ''), nullif({_tag(found, joins, 'pr', where)}, ''))"
    joins.append(
        f"LEFT JOIN {table} ON a.session_id = {table}.of_session AND {pr} IS NOT DISTINCT FROM {table}.of_pr "
        f"AND a.branch IS NOT DISTINCT FROM {table}.of_branch AND a.project IS NOT DISTINCT FROM {table}.of_project"
    )
    return f"{table}.outcome"


def _departments(found: Frame, joins: list[str], terms: Terms) -> None:
    join = "LEFT JOIN departments ON a.project = departments.of_project"
    if join in joins:
        return
    found.connection.execute("CREATE TEMP TABLE departments (of_project VARCHAR PRIMARY KEY, department VARCHAR)")
    for project, department in terms.departments:
        found.connection.execute("INSERT OR REPLACE INTO departments VALUES (?, ?)", [project, department])
    joins.append(join)


def _work(found: Frame, joins: list[str], terms: Terms, where: str) -> str:
    """A number for what a run is for: NULL where the task should tell and is not known."""
    names = [_joined(found, joins, read(name), terms, where) for name in terms.same]
    if not names:
        return "0"
    number = f"hash({', '.join(names)})"
    return f"CASE WHEN a.task IS NOT NULL THEN {number} END" if "task" in terms.same else number


def condition(where: RowFilter) -> str:
    """The filter's condition. Its texts are in variables: they were written elsewhere."""
    conditions = [
        f"a.{quoted(name)} = getvariable('filter_{name}')" for name in _FILTERED if getattr(where, name) is not None
    ]
    if where.since_ms is not None:
        conditions.append(f"a.ts_start_ms >= {int(where.since_ms)}")
    if where.until_ms is not None:
        conditions.append(f"a.ts_start_ms < {int(where.until_ms)}")
    return " AND ".join(conditions) or "true"
