import asyncio
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import orjson
import pytest

from bascule.model.errors import BasculeError
from bascule.offline.measure import Load, measure
from bascule.ports import Header, TransportError, UpstreamCall

F = Fraction


class Reply:
    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.headers: Sequence[Header] = ()
        self.body = body
        self.closed = False

    async def read(self) -> bytes:
        return self.body

    async def read_chunk(self) -> bytes:
        raise AssertionError

    def close(self) -> None:
        self.closed = True


class Endpoint:
    """An upstream that answers after a turn of the loop and counts how many it serves at once."""

    def __init__(self, body: Any = None, status: int = 200) -> None:
        self.body = orjson.dumps({"usage": {"prompt_tokens": 30, "completion_tokens": 10}} if body is None else body)
        self.status = status
        self.calls: list[UpstreamCall] = []
        self.replies: list[Reply] = []
        self.serving = self.most = 0

    async def send(self, call: UpstreamCall) -> Reply:
        self.calls.append(call)
        self.serving += 1
        self.most = max(self.most, self.serving)
        await asyncio.sleep(0)
        self.serving -= 1
        self.replies.append(Reply(self.status, self.body))
        return self.replies[-1]


def clock(*moments_s: int) -> Any:
    ticks = iter(moments_s)
    return lambda: next(ticks) * 1_000_000_000


LOAD = Load(
    origin="http://127.0.0.1:1", target="/v1/chat/completions", model="m", requests=9, concurrency=3, max_tokens=7
)


async def test_a_bounded_load_is_timed_and_its_tokens_counted() -> None:
    endpoint = Endpoint()
    found = await measure(endpoint, LOAD, clock(100, 102))
    assert (found.tokens_in, found.tokens_out, found.seconds) == (270, 90, F(2))
    assert (found.tokens_per_second, found.output_tokens_per_second, found.output_share) == (F(180), F(45), F(1, 4))
    assert len(endpoint.calls) == LOAD.requests + 1  # the first is to warm up
    assert endpoint.most == LOAD.concurrency
    assert all(reply.closed for reply in endpoint.replies)
    bodies = [orjson.loads(call.body) for call in endpoint.calls]
    assert {body["max_tokens"] for body in bodies} == {7}
    assert len({body["messages"][0]["content"] for body in bodies}) == len(bodies)  # no cache of prefixes helps


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        (Endpoint(status=500), "answered 500"),
        (Endpoint(body={"choices": []}), "reports no usage"),
        (Endpoint(body={"usage": {"prompt_tokens": 1, "completion_tokens": None}}), "reports no usage"),
        (Endpoint(body={"usage": {"prompt_tokens": 0, "completion_tokens": 0}}), "no tokens at all"),
        (Endpoint(body=[1]), "reports no usage"),
    ],
)
async def test_what_cannot_be_measured_is_refused(endpoint: Endpoint, said: str) -> None:
    with pytest.raises(BasculeError, match=said):
        await measure(endpoint, LOAD, clock(0, 1))


async def test_a_broken_connection_is_told() -> None:
    class Broken:
        async def send(self, call: UpstreamCall) -> Reply:
            raise TransportError("connect", "nobody there", request_sent=False)

    with pytest.raises(BasculeError, match="nobody there"):
        await measure(Broken(), LOAD, clock(0, 1))
