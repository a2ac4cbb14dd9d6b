"""`/bascule/api/audit`: who changed what, and whether the trail is whole."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bascule.offline.audit import read_trail
from bascule.offline.payload import audit_payload
from bascule.ports import Governance
from bascule.server.admin.access import Caller
from bascule.server.admin.answers import Refused, document
from bascule.server.admin.ports import AdminPorts
from bascule.server.admin.query import Query
from bascule.server.admin.work import Readings

DEFAULT_ENTRIES = 200
MAX_ENTRIES = 5_000
MAX_SEQ = 999_999_999
MAX_FINDINGS = 100


class Trail:
    def __init__(self, ports: AdminPorts, readings: Readings) -> None:
        self._ports = ports
        self._readings = readings

    async def entries(self, request: Request, caller: Caller) -> Response | Refused:
        """The latest entries first, those before `before` where it is given; `verify` is about the whole trail."""
        query = Query(request, ("limit", "before"), now_ms=self._ports.clock.now_ms())
        limit = query.count("limit", DEFAULT_ENTRIES, MAX_ENTRIES)
        before = query.count("before", MAX_SEQ, MAX_SEQ)
        governance = self._ports.governance
        made = await self._readings.run(lambda: trail_payload(governance, limit, before))
        return made if isinstance(made, Refused) else document(made)


def trail_payload(governance: Governance, limit: int, before: int) -> dict[str, Any]:
    found = read_trail(governance, latest=limit, before=before)
    verdict = found.verdict
    findings = [{"where": one.where, "what": one.what} for one in verdict.findings[:MAX_FINDINGS]]
    return {
        "object": "list",
        "data": [audit_payload(entry) for entry in reversed(found.latest)],
        "verify": {"holds": verdict.holds, "entries": verdict.entries, "findings": findings},
    }
