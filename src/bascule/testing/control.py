"""The control endpoints of a scripted upstream that runs as a process of its own."""

from collections.abc import Sequence
from typing import Protocol

import msgspec
from msgspec import structs

from bascule.testing.connection import RawRequest
from bascule.testing.script import Chooser, chooser_of_file
from bascule.testing.served import TOO_DEEP, Served
from bascule.testing.steps import Response, Step


class Counted(Protocol):
    """What the control endpoints tell about."""

    @property
    def served(self) -> Sequence[Served]: ...
    @property
    def open_connections(self) -> int: ...
    @property
    def in_flight(self) -> int: ...
    @property
    def trap_hits(self) -> int: ...


def control_answer(upstream: Counted, path: str, request: RawRequest) -> tuple[Response, Chooser | None]:
    """The answer to a control request, and the new script where one was posted.

    `GET /_served`: JSON lines of `Served`. `GET /_state`: counters. `POST /_script`: a `ScriptFile`, in force from now.
    """
    if request.method == "GET" and path == "/_served":
        return _answer(200, b"".join([_line(record) for record in upstream.served]), "application/x-ndjson"), None
    if request.method == "GET" and path == "/_state":
        state = {
            "served": len(upstream.served),
            "open_connections": upstream.open_connections,
            "in_flight": upstream.in_flight,
            "trap_hits": upstream.trap_hits,
        }
        return _answer(200, msgspec.json.encode(state)), None
    if request.method == "POST" and path == "/_script":
        try:
            script = chooser_of_file(request.body)
        except msgspec.DecodeError as error:
            return _answer(400, msgspec.json.encode({"error": str(error)})), None
        return _answer(200, b"{}"), script
    return _answer(404, b'{"error":"GET /_served, GET /_state, POST /_script"}'), None


def _line(record: Served) -> bytes:
    """One record; a body may be nested more deeply than can be written, which must not hide all the others."""
    try:
        return msgspec.json.encode(record) + b"\n"
    except RecursionError:
        return msgspec.json.encode(structs.replace(record, request_body=TOO_DEEP)) + b"\n"


def _answer(status: int, data: bytes, kind: str = "application/json") -> Response:
    return Response(status=status, headers=(("content-type", kind),), steps=(Step(data=data),))
