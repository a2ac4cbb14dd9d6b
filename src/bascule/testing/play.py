"""Playing a response on a connection, step by step, and writing down what was done."""

import asyncio
from http import HTTPStatus

from bascule.testing.connection import ClientLeft, RawRequest, ServerConnection
from bascule.testing.faults import drip_bytes
from bascule.testing.served import Served
from bascule.testing.steps import End, Response

_DRIP_S = 0.02


async def play(response: Response, connection: ServerConnection, request: RawRequest, served: Served) -> bool:
    """Write `response`; fills `served`. True where the connection can take another request."""
    writer = _Writer(response, connection, served)
    try:
        ended = await _play_steps(response, connection, served, writer)
        if ended is not None:
            served.cut = served.fault
            return False
        if response.chunked:
            await writer.write(b"0\r\n\r\n")
    except ClientLeft:
        served.cut = "client_left"
        return False
    served.completed = True
    if not request.keep_alive:
        connection.close()
    return request.keep_alive


async def _play_steps(
    response: Response, connection: ServerConnection, served: Served, writer: "_Writer"
) -> End | None:
    head_due = response.head
    for step in response.steps:
        if step.wait_s > 0:
            await connection.sleep(step.wait_s)
        served.output_tokens_written += step.tokens
        if head_due and (step.data or step.end is not None or response.chunked):
            head_due = False
            await writer.write(_head(response))
            served.status = response.status
        if step.data:
            await writer.write_body(step.data)
            if step.usage is not None:
                served.reported_usage = step.usage
        if step.end is not None:
            await _end_badly(step.end, response, connection, served, writer)
            return step.end
    if head_due:
        await writer.write(_head(response))
        served.status = response.status
    return None


async def _end_badly(
    end: End, response: Response, connection: ServerConnection, served: Served, writer: "_Writer"
) -> None:
    if end == "reset":
        connection.reset()
    elif end == "close":
        connection.close()
    elif end == "hang":
        await connection.hang()
    else:
        is_stream = served.stream and response.chunked
        while True:
            await connection.sleep(_DRIP_S)
            await writer.write_body(drip_bytes(served.dialect, is_stream))


class _Writer:
    """Frames and counts."""

    def __init__(self, response: Response, connection: ServerConnection, served: Served) -> None:
        self._response = response
        self._connection = connection
        self._served = served

    async def write_body(self, data: bytes) -> None:
        await self.write(b"%x\r\n%b\r\n" % (len(data), data) if self._response.chunked else data)
        await asyncio.sleep(0)  # a client who has left is seen, and nothing is coalesced

    async def write(self, data: bytes) -> None:
        size = self._response.packet_bytes or len(data)
        for at in range(0, len(data), size):
            packet = data[at : at + size]
            await self._connection.write(packet)
            self._served.bytes_written += len(packet)
            if self._response.packet_bytes is not None:
                await asyncio.sleep(0)


def _head(response: Response) -> bytes:
    phrase = HTTPStatus(response.status).phrase if response.status in _KNOWN else "Overloaded"
    lines = [f"HTTP/1.1 {response.status} {phrase}"]
    lines += [f"{name}: {value}" for name, value in response.headers]
    if response.chunked:
        lines.append("transfer-encoding: chunked")
    else:
        length = response.content_length
        lines.append(f"content-length: {sum(len(step.data) for step in response.steps) if length is None else length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")


_KNOWN = frozenset(status.value for status in HTTPStatus)
