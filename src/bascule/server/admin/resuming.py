"""`POST /bascule/api/sessions/{id}/resume`: a session that was stopped may go on."""

from starlette.requests import Request
from starlette.responses import Response

from bascule.gateway.resuming import resume
from bascule.server.admin.access import Caller
from bascule.server.admin.answers import Refused, document
from bascule.server.admin.ports import AdminPorts
from bascule.server.admin.query import Query
from bascule.server.admin.work import Changes


class Resuming:
    """The handler."""

    def __init__(self, ports: AdminPorts, changes: Changes) -> None:
        self._ports = ports
        self._changes = changes

    async def resume(self, request: Request, caller: Caller) -> Response | Refused:
        """`{session_id, resumed}`, whether it was stopped or not: another process may have stopped it."""
        now_ms = self._ports.clock.now_ms()
        Query(request, (), now_ms=now_ms)
        session_id: str = request.path_params["session_id"]

        def say() -> None:
            resume(self._ports.governance, session_id, by=caller.by, now_ms=now_ms)

        made = await self._changes.run(say)
        if isinstance(made, Refused):
            return made
        return document({"session_id": session_id, "resumed": True})
