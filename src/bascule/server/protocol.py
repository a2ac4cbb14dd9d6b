"""uvicorn's HTTP/1.1 protocol with a short way out for answers that are whole.

An ASGI answer is two messages: uvicorn looks at every header with two regular expressions and writes twice, which is
two system calls and two packets. Here a whole answer is one write. Reading, keep-alive, pipelining, timeouts and
streamed answers are uvicorn's own. The names used of its request cycle are not a promise of uvicorn's, so its minor
version is pinned, and `tests/unit/server/test_protocol.py` speaks to a real server.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from bascule.ports import Header
from bascule.server.exchange import WHOLE_ANSWER


class GatewayProtocol(HttpToolsProtocol):
    """`uvicorn.Config(http=GatewayProtocol)`."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        cycle.scope["extensions"] = {WHOLE_ANSWER: {"write": partial(self._answer, cycle)}}
        super()._start_asgi_task(cycle, app)

    def _answer(self, cycle: RequestResponseCycle, status: int, headers: Sequence[Header], body: bytes) -> bool:
        if cycle.response_started or cycle.disconnected or self.flow.write_paused or cycle.scope["method"] == "HEAD":
            return False
        given = [*cycle.default_headers, *headers]
        lines = [name + b": " + value for name, value in given]
        if not cycle.keep_alive:
            lines.append(b"connection: close")
        head = STATUS_LINE[status] + b"\r\n".join(lines) + b"\r\ncontent-length: %d\r\n\r\n" % len(body)
        # One line break per line we wrote, and no other: cheaper than looking into each value.
        if head.count(b"\n") != len(lines) + 3 or head.count(b"\r") != len(lines) + 3 or b"\0" in head:
            return False  # uvicorn then says which header is wrong
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        self.transport.write(head + body)
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()
        return True
