"""`/bascule/api/reports` and `/bascule/api/sessions`: the same figures as the commands of these names."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from starlette.requests import Request
from starlette.responses import Response

from bascule.model.errors import MalformedRequest
from bascule.model.report import SAME, Sort, Terms
from bascule.model.row import RowFilter
from bascule.offline.dimensions import NAMES, dimension_names
from bascule.offline.fates import with_fates
from bascule.offline.moment import iso_time
from bascule.offline.payload import report_payload, request_payload, session_payload
from bascule.offline.sessions import request_lines
from bascule.offline.summed_rows import with_requests
from bascule.ports import AnalyticsMissing
from bascule.server.admin.access import Caller
from bascule.server.admin.answers import Refused, document
from bascule.server.admin.ports import AdminPorts
from bascule.server.admin.query import FILTERS, Query
from bascule.server.admin.work import Readings

MAX_DIMENSIONS = 4
DEFAULT_GROUPS = 1_000
MAX_GROUPS = 10_000
DEFAULT_SESSIONS = 50
MAX_SESSIONS = 1_000
SORTS = ("cost", "requests", "tokens", "saved", "failures", "name")

_T = TypeVar("_T")


class Reports:
    """The handlers. Reading and summing happen in a thread."""

    def __init__(self, ports: AdminPorts, readings: Readings) -> None:
        self._ports = ports
        self._readings = readings

    async def report(self, request: Request, caller: Caller) -> Response | Refused:
        """`{since, until, by, total, groups}`; `by` and `same` may be repeated."""
        repeatable = ("by", "same")
        known = (*repeatable, *FILTERS, "sort", "top")
        query = Query(request, known, now_ms=self._ports.clock.now_ms(), repeatable=repeatable)
        by, same = _dimensions(query, "by"), _dimensions(query, "same")
        where, top = query.rows(), query.count("top", DEFAULT_GROUPS, MAX_GROUPS)
        sort = cast(Sort, query.one_of("sort", SORTS, "cost"))
        analytics, outcomes = self._ports.analytics, self._ports.outcomes

        def read() -> dict[str, Any]:
            terms = with_fates(Terms(same=same or SAME), by, analytics, outcomes, where)
            with analytics.held(where) as held:
                found = held.report(by, where, terms=terms, sort=sort, top=top)
                return report_payload(with_requests(found, held, where, terms))

        made = await self._read(read)
        if isinstance(made, Refused):
            return made
        return document({"since": iso_time(where.since_ms), "until": iso_time(where.until_ms), **made})

    async def sessions(self, request: Request, caller: Caller) -> Response | Refused:
        """The latest sessions first."""
        known = ("since", "until", "key", "model", "limit")
        query = Query(request, known, now_ms=self._ports.clock.now_ms())
        where, limit = query.rows(), query.count("limit", DEFAULT_SESSIONS, MAX_SESSIONS)
        analytics = self._ports.analytics

        def read() -> dict[str, Any]:
            made = analytics.sessions(where, top=limit)
            data = [session_payload(session) for session in made.found]
            return {"object": "list", "data": data, "has_more": made.total > limit}

        made = await self._read(read)
        return made if isinstance(made, Refused) else document(made)

    async def session(self, request: Request, caller: Caller) -> Response | Refused:
        """One session, with `request_list`."""
        session_id = request.path_params["session_id"]
        Query(request, (), now_ms=self._ports.clock.now_ms())
        analytics = self._ports.analytics

        def read() -> dict[str, Any] | Refused:
            where = RowFilter(session_id=session_id)
            made = analytics.sessions(where, top=1)
            if not made.found:
                return Refused(status=404, message=f"the ledger has no session {session_id!r}")
            requests = [request_payload(line) for line in request_lines(analytics.rows(where))]
            return {**session_payload(made.found[0]), "request_list": requests}

        made = await self._read(read)
        return made if isinstance(made, Refused) else document(made)

    async def _read(self, work: Callable[[], _T | Refused]) -> _T | Refused:
        try:
            return await self._readings.run(work)
        except AnalyticsMissing as error:
            return Refused(status=503, message=str(error))


def _dimensions(query: Query, parameter: str) -> tuple[str, ...]:
    try:
        names = dimension_names(query.every(parameter))
    except ValueError:
        raise MalformedRequest(f"{parameter} is one of {', '.join(NAMES)}", parameter) from None
    if len(names) > MAX_DIMENSIONS:
        raise MalformedRequest(f"a report breaks down by at most {MAX_DIMENSIONS} dimensions", parameter)
    return names
