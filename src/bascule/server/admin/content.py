"""`/bascule/api/content`: what was recorded of a request, and erasing what was recorded of a user or session."""

from starlette.requests import Request
from starlette.responses import Response

from bascule.model.content import Subject
from bascule.model.errors import MalformedRequest
from bascule.offline.content import erase, recording_payload, show
from bascule.server.admin.access import Caller
from bascule.server.admin.answers import Refused, document
from bascule.server.admin.ports import AdminPorts
from bascule.server.admin.query import Query
from bascule.server.admin.work import Changes, Readings

NOTHING = Refused(status=404, message="nothing is or was recorded here (privacy.record_content is none)")


class RecordedContent:
    """The handlers. Each call is in the audit trail."""

    def __init__(self, ports: AdminPorts, readings: Readings, changes: Changes) -> None:
        self._ports = ports
        self._readings = readings
        self._changes = changes

    async def of_request(self, request: Request, caller: Caller) -> Response | Refused:
        ports, content = self._ports, self._ports.content
        if content is None:
            return NOTHING
        request_id, now_ms = request.path_params["request_id"], ports.clock.now_ms()
        found = await self._readings.run(
            lambda: show(content, ports.governance, request_id, by=caller.by, now_ms=now_ms)
        )
        if isinstance(found, Refused):
            return found
        if not found:
            return Refused(status=404, message=f"nothing is recorded of {request_id!r}")
        return document({"object": "list", "data": [recording_payload(one) for one in found]})

    async def erase(self, request: Request, caller: Caller) -> Response | Refused:
        """Of `user` or `session`: recordings, kept replies, and what this process has in memory."""
        ports, content = self._ports, self._ports.content
        query = Query(request, ("user", "session"), now_ms=ports.clock.now_ms())
        user, session_id = query.text("user"), query.text("session")
        if (user is None) == (session_id is None):
            raise MalformedRequest("name whose content: either `user` or `session`", "user")
        subject, now_ms = Subject(user=user, session_id=session_id), ports.clock.now_ms()
        ports.forget()

        def work() -> int:
            return 0 if content is None else erase(content, ports.governance, subject, by=caller.by, now_ms=now_ms)

        erased = await self._changes.run(work)
        return erased if isinstance(erased, Refused) else document({"subject": str(subject), "erased": erased})
