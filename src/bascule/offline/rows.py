"""Ledger rows as INTERFACE names them: columns, times as ISO 8601, money as integers and as decimal text.

`--rows attempts` is one document per attempt, `--rows requests` one per client request, its attempts summed.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any, Literal

import msgspec
from msgspec import structs

from bascule.model.money import usd_text
from bascule.model.row import EVERY_ROW, AttemptRow, RequestRow, RowFilter
from bascule.model.usage import UsageSource
from bascule.offline.moment import iso_time
from bascule.offline.sums import TOKENS, answering
from bascule.ports import LedgerReader

RowKind = Literal["attempts", "requests"]
Document = dict[str, Any]

REQUEST_SPAN_MS = 24 * 3_600_000
"""No request lasts longer: how far around a period to look so that every request in it is summed whole."""

ATTEMPT_COLUMNS = (
    "kind", "attempt_id", "request_id", "session_id", "agent_id", "parent_id", "upstream_request_id",
    "idempotency_key", "attempt_no", "role", "key", "org", "team", "project", "user", "tags", "pr",
    "branch", "task", "route", "model", "model_requested", "model_reported", "provider", "upstream_model",
    "dialect_in", "dialect_out", "service_tier", "stream", "status", "error_class", "ts_start", "ts_first",
    "ts_end", "window_id", "tokens_in", "tokens_cache_read", "tokens_cache_write_5m",
    "tokens_cache_write_1h", "tokens_out", "tokens_reasoning", "tokens_audio_in", "tokens_audio_out",
    "tokens_image_in", "tokens_image_out", "tool_fees_nanousd", "usage_source", "usage_raw", "cost_usd",
    "cost_nanousd", "price_version", "rates", "hold_nanousd", "baseline_nanousd", "saved_nanousd", "cache",
    "reason", "decision_id", "policy_version", "chain", "web_searches", "usage_flags",
    "provider_cost_nanousd", "adjusted_nanousd", "finish_reason", "recovered", "client",
    "charged_nanousd", "origin", "restates",
)  # fmt: skip
"""INTERFACE's columns in its order, then what Bascule adds."""

REQUEST_COLUMNS = (
    "kind", "request_id", "session_id", "agent_id", "parent_id", "upstream_request_id", "idempotency_key",
    "attempts", "key", "org", "team", "project", "user", "tags", "pr", "branch", "task", "route", "model",
    "models", "model_requested", "model_reported", "provider", "upstream_model", "dialect_in",
    "dialect_out", "service_tier", "stream", "status", "error_class", "ts_start", "ts_first", "ts_end",
    "window_id", "tokens_in", "tokens_cache_read", "tokens_cache_write_5m", "tokens_cache_write_1h",
    "tokens_out", "tokens_reasoning", "tokens_audio_in", "tokens_audio_out", "tokens_image_in",
    "tokens_image_out", "tool_fees_nanousd", "usage_source", "cost_usd", "cost_nanousd", "unknown_costs",
    "price_version", "hold_nanousd", "baseline_nanousd", "saved_nanousd", "adjusted_nanousd", "cache",
    "reason", "decision_id", "policy_version", "finish_reason", "client", "origin",
)  # fmt: skip

COLUMNS: dict[RowKind, tuple[str, ...]] = {"attempts": ATTEMPT_COLUMNS, "requests": REQUEST_COLUMNS}

_WEAKEST_FIRST: tuple[UsageSource, ...] = ("estimated", "counted", "reported")
_SHARED = tuple(
    name
    for name in REQUEST_COLUMNS
    if name in AttemptRow.__struct_fields__ and not name.startswith("tokens_") and not name.endswith("_nanousd")
)


def documents(reader: LedgerReader, rows: RowKind, where: RowFilter = EVERY_ROW) -> Iterator[Document]:
    """The documents of a period. Raises StoreError."""
    if rows == "attempts":
        return map(attempt_document, reader.attempts(where))
    return map(request_document, requests(reader, where))


def requests(reader: LedgerReader, where: RowFilter = EVERY_ROW) -> Iterator[RequestRow]:
    """Whole requests that began in the period; `model` and `attempt_id` admit a request by any of its attempts."""
    around = structs.replace(
        where,
        since_ms=None if where.since_ms is None else where.since_ms - REQUEST_SPAN_MS,
        until_ms=None if where.until_ms is None else where.until_ms + REQUEST_SPAN_MS,
        model=None,
        attempt_id=None,
    )
    for row in request_rows(reader.attempts(around, by_request=True)):
        if (
            (where.since_ms is None or row.ts_start_ms >= where.since_ms)
            and (where.until_ms is None or row.ts_start_ms < where.until_ms)
            and (where.model is None or where.model in row.models)
            and (where.attempt_id is None or where.attempt_id in row.attempt_ids)
        ):
            yield row


def request_rows(attempts: Iterable[AttemptRow]) -> Iterator[RequestRow]:
    """Attempts in the order of their requests, summed by request."""
    for _, group in groupby(attempts, key=attrgetter("request_id")):
        yield request_row(list(group))


def request_row(attempts: list[AttemptRow]) -> RequestRow:
    """The sum of one request's attempts. What one of them does not know is None in the sum of costs."""
    attempts = sorted(attempts, key=attrgetter("attempt_no"))
    ends = [row.ts_end_ms for row in attempts]
    unknown = sum(row.cost_nanousd is None for row in attempts)
    return RequestRow(
        request_id=attempts[0].request_id,
        attempts=sum(row.role != "cache" for row in attempts),
        attempt_ids=tuple(row.attempt_id for row in attempts),
        models=tuple(dict.fromkeys(row.model for row in attempts if row.model is not None)),
        unknown_costs=unknown,
        final=answering(attempts),
        ts_start_ms=min(row.ts_start_ms for row in attempts),
        ts_end_ms=None if None in ends else max(end for end in ends if end is not None),
        tokens={name: _known(attempts, name) for name in TOKENS},
        tool_fees_nanousd=_known(attempts, "tool_fees_nanousd"),
        cost_nanousd=None if unknown else _known(attempts, "cost_nanousd"),
        hold_nanousd=_known(attempts, "hold_nanousd"),
        baseline_nanousd=_known(attempts, "baseline_nanousd"),
        saved_nanousd=_known(attempts, "saved_nanousd"),
        adjusted_nanousd=_known(attempts, "adjusted_nanousd"),
        usage_source=_weakest([row.usage_source for row in attempts]),
    )


def attempt_document(row: AttemptRow) -> Document:
    """One row of `--rows attempts`; what is absent is None."""
    given = {name: getattr(row, name) for name in AttemptRow.__struct_fields__}
    given["ts_start"] = iso_time(row.ts_start_ms)
    given["ts_first"] = iso_time(row.ts_first_ms)
    given["ts_end"] = iso_time(row.ts_end_ms)
    given["cost_usd"] = usd_text(row.cost_nanousd)
    given["rates"] = None if row.rates is None else msgspec.to_builtins(row.rates)
    given["charged_nanousd"] = row.charged_nanousd if row.kind == "settle" else None
    given["tags"] = row.tags or None
    given["usage_flags"] = list(row.usage_flags) or None
    return {name: given[name] for name in ATTEMPT_COLUMNS}


def request_document(row: RequestRow) -> Document:
    """One row of `--rows requests`; what is not a sum is the answering attempt's."""
    final = row.final
    given: Document = {name: getattr(final, name) for name in _SHARED}
    given |= row.tokens
    for name in ("tool_fees", "cost", "hold", "baseline", "saved", "adjusted"):
        given[f"{name}_nanousd"] = getattr(row, f"{name}_nanousd")
    given |= {
        "kind": "request",
        "attempts": row.attempts,
        "models": list(row.models),
        "unknown_costs": row.unknown_costs,
        "usage_source": row.usage_source,
        "tags": final.tags or None,
        "ts_start": iso_time(row.ts_start_ms),
        "ts_first": iso_time(final.ts_first_ms),
        "ts_end": iso_time(row.ts_end_ms),
        "cost_usd": usd_text(row.cost_nanousd),
    }
    return {name: given[name] for name in REQUEST_COLUMNS}


def _known(attempts: list[AttemptRow], name: str) -> int | None:
    values = [value for row in attempts if (value := getattr(row, name)) is not None]
    return sum(values) if values else None


def _weakest(sources: list[UsageSource]) -> UsageSource:
    return next((source for source in _WEAKEST_FIRST if source in sources), "none")
