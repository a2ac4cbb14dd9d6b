"""The one table of reports, `attempts`: an `AttemptRow` as columns, and what is derived from it once.

Rows are staged as JSON Lines by the names of `AttemptRow` and derived from there in SQL (`derive.sql`), so that what
is in a segment and what is loaded for one report are made by the same words. Times are milliseconds since the epoch,
money is integer nano-USD, NULL is unknown.
"""

from functools import cache
from importlib.resources import files

from bascule.decide.window import DAY_MS

VERSION = 5
"""Of the table's columns and of what they mean: a segment of another version is written anew."""

STAGED: dict[str, str] = {
    "kind": "VARCHAR",
    "origin": "VARCHAR",
    "attempt_id": "VARCHAR",
    "request_id": "VARCHAR",
    "session_id": "VARCHAR",
    "agent_id": "VARCHAR",
    "parent_id": "VARCHAR",
    "attempt_no": "INTEGER",
    "role": "VARCHAR",
    "key": "VARCHAR",
    "org": "VARCHAR",
    "team": "VARCHAR",
    "project": "VARCHAR",
    "user": "VARCHAR",
    "tags": "VARCHAR",
    "pr": "VARCHAR",
    "branch": "VARCHAR",
    "task": "VARCHAR",
    "route": "VARCHAR",
    "model": "VARCHAR",
    "model_requested": "VARCHAR",
    "model_reported": "VARCHAR",
    "provider": "VARCHAR",
    "upstream_model": "VARCHAR",
    "dialect_in": "VARCHAR",
    "dialect_out": "VARCHAR",
    "service_tier": "VARCHAR",
    "stream": "BOOLEAN",
    "status": "INTEGER",
    "error_class": "VARCHAR",
    "ts_start_ms": "BIGINT",
    "ts_first_ms": "BIGINT",
    "ts_end_ms": "BIGINT",
    "tokens_in": "BIGINT",
    "tokens_cache_read": "BIGINT",
    "tokens_cache_write_5m": "BIGINT",
    "tokens_cache_write_1h": "BIGINT",
    "tokens_out": "BIGINT",
    "tokens_reasoning": "BIGINT",
    "tokens_audio_in": "BIGINT",
    "tokens_audio_out": "BIGINT",
    "tokens_image_in": "BIGINT",
    "tokens_image_out": "BIGINT",
    "web_searches": "BIGINT",
    "tool_fees_nanousd": "BIGINT",
    "usage_source": "VARCHAR",
    "cost_nanousd": "BIGINT",
    "adjusted_nanousd": "BIGINT",
    "provider_cost_nanousd": "BIGINT",
    "price_version": "VARCHAR",
    "rates": "VARCHAR",
    "hold_nanousd": "BIGINT",
    "baseline_nanousd": "BIGINT",
    "saved_nanousd": "BIGINT",
    "cache": "VARCHAR",
    "reason": "VARCHAR",
    "finish_reason": "VARCHAR",
    "recovered": "BOOLEAN",
    "client": "VARCHAR",
}
"""What is taken from a row, by `AttemptRow`'s names; its other fields (raw usage, holds, links) stay in the ledger.
`tags` and `rates` are JSON as text: few distinct ones, which a column keeps once each and groups by their number."""

DERIVED: dict[str, str] = {
    "request_key": "UBIGINT",
    "session_key": "UBIGINT",
    "open": "BOOLEAN",
    "failed": "BOOLEAN",
    "aborted": "BOOLEAN",
    "estimated": "BOOLEAN",
    "state": "SMALLINT",
    "standing": "BIGINT",
    "blended_rate": "BIGINT",
    "tokens": "BIGINT",
    "latency_ms": "BIGINT",
    "first_ms": "BIGINT",
}
"""What reports need and compute from a row alone, or from the rows of its request that were loaded with it.

`request_key`, `session_key`: 64 bits of the ids' MD5, for counting and grouping by (NULL where there is no session).
`state`: what an attempt is and what is known of it, as bits: 1 open, 2 failed, 4 aborted, 8 estimated, 16 its cost is
known, 32 its saving too, 64 a retry, 128 a judge, verifier or shadow, 256 a cache hit; 512: its
request's first attempt and others were loaded with it, 1024: the first one was not. Below 512 it is the only attempt of
its request, as far as it can know, and is counted without grouping by requests, unless a 1024 of its request turns up;
that rests on `attempt_no` running over the whole request.
`standing`: the attempt with the greatest one among its request's answered it; its lowest bit is `failed`.
`blended_rate`: pico-USD per token, three parts input and one output. `tokens`: of all buckets, 0 while open.
`latency_ms`, `first_ms`: of attempts that ended well.
"""

COLUMNS = (*STAGED, *DERIVED)

SUM_KEYS = (
    "origin", "session_id", "session_key", "agent_id", "role", "key", "org", "team", "project", "user", "tags", "pr",
    "branch", "task", "route", "model", "model_requested", "provider", "upstream_model", "dialect_in", "error_class",
    "cache", "reason", "client", "rates", "blended_rate", "state",
)  # fmt: skip
"""What the attempts of one row of sums have in common, beside the UTC day on which they began."""
SUM_ADDED = (
    "cost_nanousd", "hold_nanousd", "tool_fees_nanousd", "adjusted_nanousd", "baseline_nanousd", "saved_nanousd",
    "tokens_in", "tokens_cache_read", "tokens_cache_write_5m", "tokens_cache_write_1h", "tokens_out",
    "tokens_reasoning", "tokens_audio_in", "tokens_audio_out", "tokens_image_in", "tokens_image_out",
    "web_searches", "tokens",
)  # fmt: skip
"""What is added up in one. Beside it: `n` attempts, `baselines` of them with a baseline, `ts_start_ms` of the first and
`last_start_ms` of the last, `last_end_ms`: when the last one ended, or began where that is not known."""
SUM_COLUMNS = (*SUM_KEYS, *SUM_ADDED, "ts_start_ms", "n", "baselines", "last_start_ms", "last_end_ms")
EACH = (
    "1::BIGINT AS n, (baseline_nanousd IS NOT NULL)::BIGINT AS baselines, ts_start_ms AS last_start_ms, "
    "coalesce(ts_end_ms, ts_start_ms) AS last_end_ms"
)
"""An attempt as a sum of its own: what it has beside its columns."""


@cache
def statements(file: str) -> dict[str, str]:
    """The statements of `<file>.sql`, each under a line `-- name: …`."""
    found: dict[str, str] = {}
    for part in sql(file).split("-- name:")[1:]:
        name, _, text = part.partition("\n")
        found[name.strip()] = text.strip()
    return found


@cache
def sql(name: str) -> str:
    """The text of a named statement: `<name>.sql` beside this file."""
    return files(__package__).joinpath(f"{name}.sql").read_text(encoding="utf-8")


def quoted(name: str) -> str:
    """An identifier. `key` and `user` are words of SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Text in SQL, for what cannot be a parameter."""
    return "'" + text.replace("'", "''") + "'"


def derive_sql(staged: str) -> str:
    """`SELECT` of whole rows of `attempts` from a relation that has the columns of `STAGED`."""
    return sql("derive").format(staged=staged, columns=", ".join([quoted(name) for name in STAGED]))


def sums_sql(attempts: str) -> str:
    """`SELECT` of the sums (`SUM_COLUMNS`) of a relation of attempts."""
    return statements("sums")["of_attempts"].format(
        keys=", ".join([quoted(name) for name in SUM_KEYS]),
        added=", ".join([f"sum({name})::BIGINT AS {name}" for name in SUM_ADDED]),
        attempts=attempts,
        day_ms=DAY_MS,
    )


def each_sum_sql(attempts: str) -> str:
    """The same with a row for each attempt: what cannot be told by sums is told by these."""
    columns = ", ".join([quoted(name) for name in (*SUM_KEYS, *SUM_ADDED, "ts_start_ms")])
    return f"SELECT {columns}, {EACH} FROM {attempts}"  # noqa: S608


def table_sql(table: str = "attempts") -> str:
    """`CREATE TABLE`, empty."""
    columns = ", ".join([f"{quoted(name)} {kind}" for name, kind in {**STAGED, **DERIVED}.items()])
    return f"CREATE TABLE {quoted(table)} ({columns})"
