"""`/bascule/api/reports` and `/bascule/api/sessions`: the same figures as the commands of these names."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bascule.model.errors import MalformedRequest
from bascule.model.row import RowFilter
from bascule.offline.dimensions import NAMES, Dimension, dimension
from bascule.offline.moment import iso_time
from bascule.offline.payload import report_payload, request_payload, session_payload
from bascule.offline.report import report
from bascule.offline.sessions import request_lines, sessions
from bascule.server.admin.access import Caller
from bascule.server.admin.answers import Refused, document
from bascule.server.admin.ports import AdminPorts
from bascule.server.admin.query import FILTERS, Query
from bascule.server.admin.work import Readings

MAX_DIMENSIONS = 4
DEFAULT_SESSIONS = 50
MAX_SESSIONS = 1_000


class Reports:
    """The handlers. Reading and summing happen in a thread."""

    def __init__(self, ports: AdminPorts, readings: Readings) -> None:
        self._ports = ports
        self._readings = readings

    async def report(self, request: Request, caller: Caller) -> Response | Refused:
        """`{since, until, by, total, groups}`; `by` may be repeated."""
        query = Query(request, ("by", *FILTERS), now_ms=self._ports.clock.now_ms(), repeatable=("by",))
        by = _dimensions(query.every("by"))
        where = query.rows()
        reader = self._ports.ledger
        made = await self._readings.run(lambda: report_payload(report(reader.attempts(where, by_request=True), by)))
        if isinstance(made, Refused):
            return made
        return document({"since": iso_time(where.since_ms), "until": iso_time(where.until_ms), **made})

    async def sessions(self, request: Request, caller: Caller) -> Response | Refused:
        """The latest sessions first."""
        known = ("since", "until", "key", "model", "limit")
        query = Query(request, known, now_ms=self._ports.clock.now_ms())
        where, limit = query.rows(), query.count("limit", DEFAULT_SESSIONS, MAX_SESSIONS)
        reader = self._ports.ledger

        def read() -> dict[str, Any]:
            found = sessions(reader.attempts(where, by_request=True))
            data = [session_payload(session) for session in found[:limit]]
            return {"object": "list", "data": data, "has_more": len(found) > limit}

        made = await self._readings.run(read)
        return made if isinstance(made, Refused) else document(made)

    async def session(self, request: Request, caller: Caller) -> Response | Refused:
        """One session, with `request_list`."""
        session_id = request.path_params["session_id"]
        Query(request, (), now_ms=self._ports.clock.now_ms())
        reader = self._ports.ledger

        def read() -> dict[str, Any] | Refused:
            rows = list(reader.attempts(RowFilter(session_id=session_id), by_request=True))
            if not rows:
                return Refused(status=404, message=f"the ledger has no session {session_id!r}")
            (found,) = sessions(rows)
            return {**session_payload(found), "request_list": [request_payload(line) for line in request_lines(rows)]}

        made = await self._readings.run(read)
        return made if isinstance(made, Refused) else document(made)


def _dimensions(names: list[str]) -> list[Dimension]:
    if len(names) > MAX_DIMENSIONS:
        raise MalformedRequest(f"a report breaks down by at most {MAX_DIMENSIONS} dimensions", "by")
    try:
        return [dimension(name) for name in names]
    except ValueError:
        raise MalformedRequest(f"by is one of {', '.join(NAMES)}", "by") from None
