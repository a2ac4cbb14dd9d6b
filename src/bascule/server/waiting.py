"""While the database does not answer at the start: alive, not ready, and 503 to whoever asks for work.

Without it nobody knows which keys are good and what budgets have left, and a process that ended instead would be
restarted in a circle and leave clients with a refused connection.
"""

import asyncio
import logging
from collections.abc import Callable

import uvicorn

from bascule.gateway.respond import error_answer
from bascule.gateway.surfaces import Surface
from bascule.model.errors import Refusal, StoreUnreachable
from bascule.server.asgi import Receive, Scope, Send

log = logging.getLogger("bascule.server")

LOOK_EVERY_S = 1.0
STOP_S = 1
"""What requests get to be answered when the wait is over: each is answered at once."""

REFUSAL = Refusal(
    kind="unavailable",
    message="the gateway waits for its database, so nothing is sent; try again soon",
    retry_after_s=2.0,
)


def wait_for_store(attempt: Callable[[], None], host: str, port: int) -> bool:
    """Returns when `attempt` no longer raises StoreUnreachable; False where a signal came first.

    Until then the address is served, unless any free port will do: that one could not be kept. Raises what `attempt`
    raises else.
    """
    waiting = _Waiting(attempt)
    if not waiting.look():
        return asyncio.run(waiting.serve(host, port))
    return True


class _Waiting:
    def __init__(self, attempt: Callable[[], None]) -> None:
        self._attempt = attempt
        self._why = ""

    def look(self) -> bool:
        try:
            self._attempt()
        except StoreUnreachable as error:
            if not self._why:
                log.error("not ready, and looking again every %g s: %s", LOOK_EVERY_S, error)
            self._why = str(error)
            return False
        if self._why:
            log.warning("the database answers")
        return True

    async def serve(self, host: str, port: int) -> bool:
        looking = asyncio.create_task(self._until_there())
        if port == 0:
            await looking
            return True
        config = uvicorn.Config(
            self._answer, host=host, port=port, interface="asgi3", lifespan="off", log_config=None, access_log=False,
            proxy_headers=False, server_header=False, timeout_graceful_shutdown=STOP_S,
        )  # fmt: skip
        server = uvicorn.Server(config)
        looking.add_done_callback(lambda _: setattr(server, "should_exit", True))
        await server.serve()
        if looking.done():
            looking.result()  # raises what the last attempt did
            return True
        looking.cancel()
        return False

    async def _until_there(self) -> None:
        while not await asyncio.to_thread(self.look):
            await asyncio.sleep(LOOK_EVERY_S)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path = scope["path"]
        if path == "/healthz":
            status, headers, body = 200, [(b"content-type", b"text/plain; charset=utf-8")], b"ok\n"
        elif path == "/readyz":
            status, headers, body = 503, [(b"content-type", b"text/plain; charset=utf-8")], f"{self._why}\n".encode()
        else:
            status, given, body = error_answer(_surface_of(path), REFUSAL, "req_none")
            headers = list(given)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _surface_of(path: str) -> Surface:
    """Whose client asks, by the address alone."""
    if path.rstrip("/").endswith("/messages"):
        return "anthropic_messages"
    return "gemini" if path.startswith("/v1beta/") else "openai_chat"
