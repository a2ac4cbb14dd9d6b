"""`/bascule/api/ledger`: rows in pages of JSON Lines, and corrections as new lines."""

import base64
import binascii
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, cast

import orjson
from msgspec import Struct, structs
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from bascule.model.entry import Adjustment
from bascule.model.errors import MalformedRequest
from bascule.model.money import NANO_PER_USD, nanousd_from_usd
from bascule.model.row import AttemptRow, RowFilter
from bascule.offline.adjustment import adjustment_payload, attempt_of, record_adjustment
from bascule.offline.rows import RowKind, attempt_document, request_document, requests
from bascule.ports import LedgerReader
from bascule.server.admin.access import Caller
from bascule.server.admin.answers import Refused, document, read_json
from bascule.server.admin.ports import AdminPorts
from bascule.server.admin.query import FILTERS, Query
from bascule.server.admin.work import Changes, Readings

DEFAULT_ROWS = 1_000
MAX_ROWS = 10_000
CURSOR_HEADER = "x-bascule-next-cursor"
INCOMPLETE_HEADER = "x-bascule-incomplete"
"""Names journals of other replicas that may hold rows which the answer has not."""
MAX_DELTA_USD = 1_000_000_000
MAX_REASON_CHARS = 1_000
_LINES_PER_CHUNK = 256


class AdjustmentBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A correction: what to add to an attempt's cost (may be negative), and why."""

    attempt_id: str
    delta_usd: Decimal
    reason: str


class Page(Struct, frozen=True):
    """Some rows as encoded lines. `next_cursor` None: there are no more."""

    lines: list[bytes]
    next_cursor: str | None
    unheard: tuple[str, ...] = ()
    """Journals of other replicas that may have more."""


class LedgerRows:
    """The handlers."""

    def __init__(self, ports: AdminPorts, readings: Readings, changes: Changes) -> None:
        self._ports = ports
        self._readings = readings
        self._changes = changes

    async def rows(self, request: Request, caller: Caller) -> Response | Refused:
        """A page in the order of time; the header `x-bascule-next-cursor` is there while more follow, and
        `x-bascule-incomplete` where other replicas may have rows of it that are not in the database.

        The page is read whole before its first byte goes out, so a slow client does not hold a view of the store.
        """
        query = Query(request, ("rows", *FILTERS, "limit", "cursor"), now_ms=self._ports.clock.now_ms())
        kind = cast(RowKind, query.one_of("rows", ("attempts", "requests"), "attempts"))
        where, cursor = query.rows(), _place_of(query.text("cursor"))
        limit = query.count("limit", DEFAULT_ROWS, MAX_ROWS)
        reader = self._ports.ledger
        after = _start_and_id(cursor) if kind == "attempts" else None

        def read() -> Page:
            unheard = tuple(reader.unheard())
            if kind == "attempts":
                page = attempt_page(reader, where, limit, after)
            else:
                page = request_page(reader, where, limit, cursor)
            return structs.replace(page, unheard=unheard)

        page = await self._readings.run(read)
        if isinstance(page, Refused):
            return page
        answer = StreamingResponse(_chunks(page.lines), media_type="application/x-ndjson")
        if page.next_cursor is not None:
            answer.headers[CURSOR_HEADER] = page.next_cursor
        if page.unheard:
            answer.headers[INCOMPLETE_HEADER] = ",".join(page.unheard)
        return answer

    async def adjust(self, request: Request, caller: Caller) -> Response | Refused:
        body = await read_json(request, AdjustmentBody)
        delta, reason = _delta(body.delta_usd), _reason(body.reason)
        ports = self._ports
        before = await self._readings.run(lambda: _attempt(ports.ledger, body.attempt_id))
        if isinstance(before, Refused):
            return before
        now_ms = ports.clock.now_ms()
        line = Adjustment(
            adjustment_id=ports.adjustment_id(now_ms),
            attempt_id=body.attempt_id,
            ts_ms=now_ms,
            delta_nanousd=delta,
            reason=reason,
            by=caller.by,
        )
        ports.journal.adjust(line)
        await self._changes.run(lambda: record_adjustment(ports.governance, line))
        return document(adjustment_payload(before, line), 201)


def attempt_page(reader: LedgerReader, where: RowFilter, limit: int, after: tuple[int, str] | None) -> Page:
    """Rows in the order of (start, attempt id), those after a place in it."""
    if after is not None:
        since_ms = after[0] if where.since_ms is None else max(where.since_ms, after[0])
        where = structs.replace(where, since_ms=since_ms)
    found = (row for row in reader.attempts(where) if after is None or (row.ts_start_ms, row.attempt_id) > after)
    rows = list(islice(found, limit + 1))
    lines = [_line(attempt_document(row)) for row in rows[:limit]]
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(lines, None if last is None else _cursor(f"{last.ts_start_ms}~{last.attempt_id}"))


def request_page(reader: LedgerReader, where: RowFilter, limit: int, after: str | None) -> Page:
    """Requests in the order of their ids, which is that of time, those after an id.

    What comes before is read again: for all of a large ledger `bascule ledger export` reads it once.
    """
    found = (row for row in requests(reader, where) if after is None or row.request_id > after)
    rows = list(islice(found, limit + 1))
    lines = [_line(request_document(row)) for row in rows[:limit]]
    return Page(lines, _cursor(rows[limit - 1].request_id) if len(rows) > limit else None)


def _cursor(place: str) -> str:
    """Safe in a header and in a query, whatever an id is made of."""
    return base64.urlsafe_b64encode(place.encode()).rstrip(b"=").decode()


def _place_of(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):
        raise _bad_cursor() from None


def _start_and_id(place: str | None) -> tuple[int, str] | None:
    if place is None:
        return None
    start, found, attempt_id = place.partition("~")
    if not (found and start.isascii() and start.isdigit() and len(start) < 16 and attempt_id):
        raise _bad_cursor()
    return int(start), attempt_id


def _bad_cursor() -> MalformedRequest:
    return MalformedRequest(f"cursor is what the header {CURSOR_HEADER} of the page before said", "cursor")


def _attempt(reader: LedgerReader, attempt_id: str) -> AttemptRow | Refused:
    row = attempt_of(reader, attempt_id)
    if row is None:
        message = f"the ledger has no attempt {attempt_id!r}; GET /bascule/api/ledger lists them"
        return Refused(status=404, message=message, param="attempt_id")
    if row.kind == "intent":
        return Refused(status=409, message=f"attempt {attempt_id!r} is still open; correct it once it has been settled")
    return row


def _delta(amount: Decimal) -> int:
    try:
        if not amount.is_finite() or abs(amount) > MAX_DELTA_USD:
            raise ValueError
        delta = nanousd_from_usd(amount)
    except ValueError:
        message = "delta_usd is an amount of dollars with at most nine decimal places"
        raise MalformedRequest(message, "delta_usd") from None
    if not delta:
        raise MalformedRequest("a correction of nothing corrects nothing", "delta_usd")
    assert abs(delta) <= MAX_DELTA_USD * NANO_PER_USD
    return delta


def _reason(text: str) -> str:
    reason = text.strip()
    if not reason or len(reason) > MAX_REASON_CHARS:
        raise MalformedRequest(f"reason says why, in at most {MAX_REASON_CHARS} characters", "reason")
    return reason


def _line(row: dict[str, Any]) -> bytes:
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


async def _chunks(lines: Sequence[bytes]) -> AsyncIterator[bytes]:
    for start in range(0, len(lines), _LINES_PER_CHUNK):
        yield b"".join(lines[start : start + _LINES_PER_CHUNK])
