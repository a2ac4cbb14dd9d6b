"""The admin API's routes: who may call which, and what every call has in common."""

import logging
from collections.abc import Awaitable, Callable

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bascule.model.errors import LedgerUnavailable, MalformedRequest, StoreError
from bascule.model.headers import Headers
from bascule.server.admin.access import READ, Caller, Role, caller_of
from bascule.server.admin.answers import MAX_BODY_BYTES, Refused, refused
from bascule.server.admin.budgets import Budgets
from bascule.server.admin.configuration import Configuration
from bascule.server.admin.content import RecordedContent
from bascule.server.admin.keys import Keys
from bascule.server.admin.ledger import LedgerRows
from bascule.server.admin.ports import AdminPorts
from bascule.server.admin.reports import Reports
from bascule.server.admin.resuming import Resuming
from bascule.server.admin.trail import Trail
from bascule.server.admin.work import Changes, Readings
from bascule.server.asgi import BodyTooLarge, ClientLeft
from bascule.server.credentials import presented_secret

log = logging.getLogger("bascule.admin")

PREFIX = "/bascule/api"
CLIENT_CLOSED_REQUEST = 499

Endpoint = Callable[[Request, Caller], Awaitable[Response | Refused]]

READ_TEAM: frozenset[Role] = frozenset({"admin", "auditor", "team_admin"})
CHANGE: frozenset[Role] = frozenset({"admin"})
CHANGE_TEAM: frozenset[Role] = frozenset({"admin", "team_admin"})


class Call(Struct, frozen=True):
    method: str
    path: str
    roles: frozenset[Role]
    endpoint: Endpoint


def admin_routes(ports: AdminPorts) -> list[BaseRoute]:
    """Routes for `server.app.application(admin=…)`."""
    return [Route(PREFIX + call.path, _guarded(call, ports), methods=[call.method]) for call in admin_calls(ports)]


def admin_calls(ports: AdminPorts) -> tuple[Call, ...]:
    """Every call, and who may make it; paths are below `PREFIX`."""
    readings, changes = Readings(), Changes(ports.refresh)
    keys, budgets = Keys(ports, changes), Budgets(ports, changes)
    content = RecordedContent(ports, readings, changes)
    ledger, reports = LedgerRows(ports, readings, changes), Reports(ports, readings)
    return (
        Call("GET", "/keys", READ_TEAM, keys.listed),
        Call("POST", "/keys", CHANGE_TEAM, keys.create),
        Call("PATCH", "/keys/{name:path}", CHANGE_TEAM, keys.rotate),
        Call("DELETE", "/keys/{name:path}", CHANGE_TEAM, keys.revoke),
        Call("GET", "/budgets", READ_TEAM, budgets.listed),
        Call("POST", "/budgets", CHANGE_TEAM, budgets.put),
        Call("DELETE", "/budgets", CHANGE_TEAM, budgets.remove),
        Call("GET", "/ledger", READ, ledger.rows),
        Call("POST", "/ledger/adjustments", CHANGE, ledger.adjust),
        Call("GET", "/reports", READ, reports.report),
        Call("GET", "/sessions", READ, reports.sessions),
        Call("GET", "/sessions/{session_id:path}", READ, reports.session),
        Call("POST", "/sessions/{session_id:path}/resume", CHANGE, Resuming(ports, changes).resume),
        Call("GET", "/content/{request_id}", CHANGE, content.of_request),
        Call("DELETE", "/content", CHANGE, content.erase),
        Call("GET", "/config", READ, Configuration(ports).show),
        Call("GET", "/audit", READ, Trail(ports, readings).entries),
    )


def _guarded(call: Call, ports: AdminPorts) -> Callable[[Request], Awaitable[Response]]:
    """Who calls is settled before a byte of the body is read."""

    async def handle(request: Request) -> Response:
        caller = _caller(request, call, ports)
        if isinstance(caller, Refused):
            seen = {"path": request.scope["path"], "status": caller.status}
            log.warning("admin call refused: %s", caller.message, extra=seen)
            return refused(caller)
        try:
            answer = await call.endpoint(request, caller)
        except MalformedRequest as error:
            answer = Refused(status=400, message=str(error), param=error.param)
        except BodyTooLarge:
            answer = Refused(status=413, message=f"the body is larger than {MAX_BODY_BYTES} bytes")
        except ClientLeft:
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        except (StoreError, LedgerUnavailable) as error:
            log.error("admin call failed: %s", error)
            answer = Refused(status=503, message=str(error), retry_after_s=1)
        return refused(answer) if isinstance(answer, Refused) else answer

    return handle


def _caller(request: Request, call: Call, ports: AdminPorts) -> Caller | Refused:
    secret = presented_secret(Headers(request.scope["headers"]), b"")
    caller = caller_of(secret, ports.snapshot().admin_secret, ports.keys, ports.clock.now_ms())
    if isinstance(caller, Refused) or caller.role in call.roles:
        return caller
    message = f"{caller.by} has role {caller.role}, which may not {call.method} {PREFIX}{call.path}"
    return Refused(status=403, message=message)
