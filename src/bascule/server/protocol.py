"""One client's connection: uvicorn's, with a short way for the hot routes.

Parsing and stopping are uvicorn's, bounds and keep-alive are `arrival`'s. A request for a hot route becomes a
`ClientExchange` that the engine is given as it is, without ASGI's scope, events and dictionaries between them, which
cost 15 to 20 us a request. All else goes the way that it goes on any uvicorn.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import unquote

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from bascule.gateway.exchange import Incoming
from bascule.gateway.respond import error_answer
from bascule.model.errors import Refusal
from bascule.model.headers import Headers
from bascule.server.arrival import CLOSE, TOO_MANY, ArrivingProtocol
from bascule.server.credentials import presented_secret
from bascule.server.exchange import ClientExchange, whole_answer
from bascule.server.hot import STOPPING, Hot, HotRoute, hot_route
from bascule.upstream.outbox import Outbox

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class GatewayProtocol(ArrivingProtocol):
    """One connection. Of its exchanges, one at a time has its turn; later ones (pipelined) wait behind it."""

    def __init__(
        self,
        hot: Hot,
        outbox: Outbox,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(hot.limits, config, server_state, app_state, _loop)
        self._hot = hot
        self._outbox = outbox
        self._exchange: ClientExchange | None = None
        """The one whose body is being read, if its route is hot."""
        self._at_turn: ClientExchange | None = None
        self._standing: tuple[object, bytes] = (None, b"")

    # The parser's callbacks, in their order.

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._exchange = None

    def on_headers_complete(self) -> None:
        self._judge_head()
        parser = self.parser
        method = parser.get_method()
        if parser.should_upgrade() and method != b"CONNECT":
            self._upgrade = True
            return
        path, _, query = self.url.partition(b"?")
        route = hot_route(path) or self._decoded_route(path)
        if route is None:
            self._take_cold_way()
            self._head_open = False
            return
        headers = Headers(self.headers)
        self.headers = []  # what comes in trailers is none
        exchange = ClientExchange(self, self._outbox, route, method, headers, query)
        exchange.chunked = parser.get_http_version() != "1.0"
        exchange.keep_alive = exchange.chunked and parser.should_keep_alive() and not self._is_reserved
        exchange.secret = presented_secret(headers, query)
        judged = TOO_MANY if self._is_reserved else self._hot.judge_head(method, headers, exchange.secret)
        if isinstance(judged, Refusal):
            exchange.refusal = judged
        else:
            exchange.tenant = judged
        before = self.cycle
        self._exchange = exchange
        self._head_open = False
        self.cycle = cast("RequestResponseCycle", exchange)
        if before is None or before.response_complete:
            self._begin(exchange)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def on_body(self, body: bytes) -> None:
        size = len(body)
        self._frame_bytes -= size
        exchange = self._exchange
        if exchange is None:
            super().on_body(body)
        elif exchange.refusal is None:
            hot = self._hot
            exchange.take_body(body)
            hot.arriving.add(exchange.tenant, size)
            if exchange.body_bytes > hot.most_body_bytes:
                self._refuse_body(exchange, hot.too_large(exchange.body_bytes))
            elif (crowded := hot.crowded(exchange.tenant, exchange.body_bytes)) is not None:
                self._refuse_body(exchange, crowded)
        else:
            self._read_over(exchange, size)

    def _read_over(self, exchange: ClientExchange, size: int) -> None:
        """What a refused request still sends; who sends twice as much as any may have is no longer listened to."""
        exchange.skipped_bytes += size
        if exchange.skipped_bytes > 2 * self._limits.max_body_bytes:
            self._deaf = True
            exchange.keep_alive = False
            if exchange.response_complete:
                self.hang_up()

    def on_message_complete(self) -> None:
        if self._upgrade:
            return
        self._message_is_whole()
        exchange = self._exchange
        if exchange is None:
            super().on_message_complete()
            if self.cycle.response_complete:
                self._idle()
            return
        exchange.whole = True
        if exchange.response_complete:
            self._idle()  # refused before its body had come
        elif exchange.turn and exchange.refusal is None:
            self._serve(exchange)

    # From request to answer.

    def _begin(self, exchange: ClientExchange) -> None:
        """It is this exchange's turn; its body may be on its way still."""
        exchange.turn = True
        self._at_turn = exchange
        if exchange.refusal is not None:
            self._refuse(exchange, exchange.refusal)
        elif exchange.whole:
            self._serve(exchange)
        elif self.expect_100_continue:
            self.transport.write(CONTINUE)

    def _serve(self, exchange: ClientExchange) -> None:
        self._hot.arriving.remove(exchange.tenant, exchange.body_bytes)
        exchange.incoming = Incoming(
            surface=exchange.route.surface,
            model=exchange.route.model,
            stream=exchange.route.stream,
            headers=exchange.headers,
            body=exchange.body(),
            query=exchange.query.decode("latin-1"),
            secret=exchange.secret,
        )
        exchange.task = task = self.loop.create_task(self._to_the_end(exchange))
        self.tasks.add(task)

    async def _to_the_end(self, exchange: ClientExchange) -> None:
        try:
            refusal = await self._hot.serve(exchange, exchange.tenant)
            if not exchange.has_ended:
                if refusal is None or refusal is STOPPING:
                    self._break_off(exchange, refusal)
                else:
                    self._refuse(exchange, refusal)
        finally:
            if exchange.task is not None:
                self.tasks.discard(exchange.task)
                exchange.task = None

    def _refuse(self, exchange: ClientExchange, refusal: Refusal) -> None:
        """What is still to come of the body is read over."""
        engine = self._hot.engine
        engine.metrics.refusal(refusal.kind)
        exchange.answer(*error_answer(exchange.route.surface, refusal, engine.new_request_id()))

    def _refuse_body(self, exchange: ClientExchange, refusal: Refusal) -> None:
        """Let go of what has come of it. The answer goes when it is its turn."""
        exchange.refusal = refusal
        self._hot.arriving.remove(exchange.tenant, exchange.drop_body())
        if exchange.turn:
            self._refuse(exchange, refusal)

    def _break_off(self, exchange: ClientExchange, refusal: Refusal | None) -> None:
        """There will be no more of an answer: the gateway stops, or the client has left."""
        exchange.keep_alive = False
        if refusal is not None and not exchange.started:
            self._refuse(exchange, refusal)
        else:
            self.hang_up()

    # `exchange.Line`.

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    async def room(self) -> None:
        if self.flow.write_paused:
            await self.flow.drain()

    def standing_headers(self) -> bytes:
        """uvicorn makes a new list of them every second."""
        pairs = self.server_state.default_headers
        if self._standing[0] is not pairs:
            self._standing = (pairs, b"".join([b"%b: %b\r\n" % pair for pair in pairs]))
        return self._standing[1]

    def answered(self, exchange: ClientExchange) -> None:
        self._at_turn = None
        if not exchange.keep_alive:
            self.hang_up()
        self.on_response_complete()

    # Where uvicorn's own way is taken, or left.

    def _decoded_route(self, path: bytes) -> HotRoute | None:
        """For targets of another form: with escapes, a fragment, or absolute."""
        if path.startswith(b"/") and b"%" not in path and b"#" not in path:
            return None
        try:
            parsed = httptools.parse_url(self.url)
        except httptools.HttpParserInvalidURLError:
            return None
        return hot_route(unquote(parsed.path.decode("latin-1")).encode())

    def _take_cold_way(self) -> None:
        url, headers, expected = self.url, self.headers, self.expect_100_continue
        HttpToolsProtocol.on_message_begin(self)
        self.url = url
        self.headers.extend(headers)
        self.expect_100_continue = expected
        super().on_headers_complete()
        self.headers = []  # the scope has them; what comes in trailers is none, here too
        if self._is_reserved:
            self.cycle.keep_alive = False

    def cut_off(self) -> None:
        metrics = self._hot.engine.metrics
        metrics.stalled_clients += 1
        super().cut_off()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if isinstance(cycle, ClientExchange):
            self._begin(cycle)
        else:
            super()._start_asgi_task(cycle, app)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for exchange in (self._at_turn, self._exchange, *[cycle for cycle, _ in self.pipeline]):
            if isinstance(exchange, ClientExchange):
                exchange.lost()
                if exchange.task is None:
                    self._hot.arriving.remove(exchange.tenant, exchange.drop_body())
        self.pipeline.clear()

    # `ArrivingProtocol`: what a request is told of which no more will come.

    def last_word(self, refusal: Refusal) -> bytes:
        route = hot_route(self.url.partition(b"?")[0]) if self._head_open else None
        if route is None:
            return self.plain_answer(refusal)
        engine = self._hot.engine
        engine.metrics.refusal(refusal.kind)
        status, headers, body = error_answer(route.surface, refusal, engine.new_request_id())
        return whole_answer(status, [*self.server_state.default_headers, *headers, CLOSE], body)

    def break_body(self, refusal: Refusal) -> None:
        exchange = self._exchange
        if exchange is None:
            super().break_body(refusal)
            return
        exchange.keep_alive = False
        if exchange.response_complete:
            self.transport.close()
        elif exchange.refusal is None:
            self._refuse_body(exchange, refusal)


def gateway_protocol(hot: Hot, outbox: Outbox) -> Callable[..., asyncio.Protocol]:
    """What uvicorn makes its connections with."""

    def make(
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> asyncio.Protocol:
        return GatewayProtocol(hot, outbox, config, server_state, app_state, _loop)

    return make
