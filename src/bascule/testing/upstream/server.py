"""A provider on loopback that does what a script says and counts exactly what it served.

    async with ScriptedUpstream(Script(text="Paris.", fault="reset_mid")) as up:
        base_url = up.url("openai")     # as that vendor's SDK means it
        ...
        assert up.served[0].usage == {...}

As a process of its own: `python -m bascule.testing.upstream --script FILE.json`.
"""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

import orjson

from bascule.testing import bedrock_wire, gemini_prompt
from bascule.testing.connection import RawRequest, ServerConnection
from bascule.testing.control import control_answer
from bascule.testing.faults import NEVER_BILLED
from bascule.testing.play import play
from bascule.testing.response import Planned, models_response, plan_response
from bascule.testing.script import Choice, Dialect, ProviderRequest, Script, chooser
from bascule.testing.served import Served
from bascule.testing.steps import Response, Step
from bascule.testing.wires import WIRES, dialect_of, is_served, understood

TRAP = "/_trap"
_TOTALS = frozenset({"total_tokens", "totalTokenCount"})


class ScriptedUpstream:
    """The server. `served` has one record per request, in the order of arrival."""

    def __init__(
        self,
        script: Choice | None = None,
        *,
        seed: int = 0,
        models: Sequence[str] = ("scripted-small", "scripted-big"),
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`script`: one for all, a cycle, by model, or a function; see `script.chooser`. `seed`: of made-up words."""
        self._choose = chooser(script if script is not None else Script())
        self._seed = seed
        self._models = tuple(models)
        self._asked_port = port
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._connections: set[ServerConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.served: list[Served] = []
        self.trap_hits = 0
        """Requests that followed a redirect which nobody should follow."""
        self.in_flight = 0
        self.most_in_flight = 0
        self.port = 0

    # For tests.

    def use(self, script: Choice) -> None:
        """Script the requests from now on. Numbers of requests go on."""
        self._choose = chooser(script)

    def url(self, vendor: str = "openai") -> str:
        """`base_url` as that vendor's SDK means it: OpenAI's ends in /v1, Gemini's in /v1beta, those of the others in
        neither."""
        return self.origin + {"openai": "/v1", "responses": "/v1", "gemini": "/v1beta"}.get(vendor, "")

    @property
    def origin(self) -> str:
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self.port}"

    @property
    def open_connections(self) -> int:
        """Of clients; those that ask the control endpoints do not count."""
        return sum(not connection.is_control for connection in self._connections)

    @property
    def billed(self) -> list[Served]:
        """The records that cost something."""
        return [record for record in self.served if record.bills]

    async def quiet(self, timeout_s: float = 5.0) -> None:
        """Wait until no request is in flight. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while self.in_flight:
                await asyncio.sleep(0.005)

    # Life.

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: ServerConnection(loop, self._on_request, self._on_change),
            "127.0.0.1",
            self._asked_port,
            ssl=self._tls,
            backlog=1024,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop_listening(self) -> None:
        """Connections that are tried from now on are refused; those that are open stay."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def listen_again(self) -> None:
        """On the same port."""
        self._asked_port = self.port
        await self.start()

    async def stop(self) -> None:
        """Close the listener and cut every connection."""
        if self._server is not None:
            self._server.close()
        for connection in tuple(self._connections):
            if connection.transport is not None:
                connection.transport.abort()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)
        if self._server is not None:
            await self._server.wait_closed()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # Requests.

    def _on_change(self, connection: ServerConnection, opened: bool) -> None:
        if opened:
            self._connections.add(connection)
        else:
            self._connections.discard(connection)

    def _on_request(self, connection: ServerConnection, raw: RawRequest) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(connection, raw))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: ServerConnection, raw: RawRequest) -> None:
        path = raw.target.partition("?")[0]
        if path.startswith("/_") and path != TRAP:
            await self._control(connection, raw, path)
            return
        number = len(self.served) + 1
        dialect = dialect_of(path, raw.headers)
        body = _decoded(raw.body)
        served = _record(number, dialect, path, raw, body)
        self.served.append(served)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            planned = self._plan(served, raw, path)
            await self._play(connection, raw, planned.response, served, planned)
        except Exception:
            connection.reset()  # a mistake of the script must not look like a hanging provider
            raise
        finally:
            self.in_flight -= 1

    async def _control(self, connection: ServerConnection, raw: RawRequest, path: str) -> None:
        connection.is_control = True
        try:
            response, script = control_answer(self, path, raw)
        except Exception:
            connection.reset()  # whoever asks must not wait for an answer that cannot be given
            raise
        if script is not None:
            self._choose = script
        await self._play(connection, raw, response, _record(0, "openai", path, raw, None))

    def _plan(self, served: Served, raw: RawRequest, path: str) -> Planned:
        known = isinstance(served.request_body, dict)
        request = ProviderRequest(
            number=served.number,
            dialect=served.dialect,
            path=path,
            model=served.model,
            stream=served.stream,
            headers=served.request_headers,
            body=understood(served.dialect, served.request_body, path) if known else {},
            raw_body=served.request_body if known else {},
        )
        if path == TRAP:
            self.trap_hits += 1
            return Planned(response=_plain(200, b"{}"))
        if path.endswith("/models") and raw.method == "GET":
            return Planned(response=models_response(request, self._models, served.upstream_request_id))
        wire = WIRES[served.dialect]
        if raw.method != "POST" or not is_served(path):
            return Planned(response=_plain(404, orjson.dumps(wire.error_body(404, Script()))))
        if not known:
            script = Script(error_message="the body is not a JSON object")
            return Planned(response=_plain(400, orjson.dumps(wire.error_body(400, script))))
        script = self._choose(request)
        served.fault = script.fault
        planned = plan_response(request, script, self._seed, served.upstream_request_id, f"{self.origin}{TRAP}")
        if planned.answer is not None:
            served.response_id = planned.answer.response_id
            served.choices = len(planned.answer.choices)
            served.texts = ["".join(choice.text) for choice in planned.answer.choices]
        served.bill = script.bill
        return planned

    async def _play(
        self,
        connection: ServerConnection,
        raw: RawRequest,
        response: Response,
        served: Served,
        planned: Planned | None = None,
    ) -> None:
        reusable = False
        try:
            reusable = await play(response, connection, raw, served)
        finally:
            if planned is not None:
                _bill(served, planned)
            served.ended = True
        if reusable:
            connection.ready()


def _bill(served: Served, planned: Planned) -> None:
    """What this request costs: what had been generated, or all of it under `full`."""
    if served.bill == "none" or served.fault in NEVER_BILLED:
        return
    answer = planned.answer
    if answer is None:
        if planned.usage is not None and _TOTALS & planned.usage.keys() and served.completed:
            served.usage, served.bills = planned.usage, True
        return
    tokens = answer.output_tokens if served.bill == "full" else served.output_tokens_written
    if tokens:
        wire = WIRES[served.dialect]
        served.usage, served.bills = wire.usage_of(answer, tokens), True


def _record(number: int, dialect: Dialect, path: str, raw: RawRequest, body: Any) -> Served:
    told = body if isinstance(body, dict) else {}
    named = gemini_prompt.of_path(unquote(path))
    if dialect == "bedrock":
        told = {"model": bedrock_wire.model_of(path), "stream": path.endswith("/converse-stream")}
    elif named is not None:
        told = {"model": named[0], "stream": named[1] == "streamGenerateContent"}
    model = told.get("model")
    return Served(
        number=number,
        dialect=dialect,
        path=path,
        model=model if isinstance(model, str) else "",
        stream=told.get("stream") is True,
        request_headers=raw.headers,
        request_body=body,
        request_bytes=len(raw.body),
        upstream_request_id=f"req_scripted_{number:06d}",
    )


def _decoded(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None


def _plain(status: int, data: bytes) -> Response:
    return Response(status=status, headers=(("content-type", "application/json"),), steps=(Step(data=data),))


def closed_port() -> int:
    """A port of loopback on which nobody listens: connecting to it is refused."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
