"""Answers to requests with an Idempotency-Key: kept in bounded memory, and given again as they were."""

from collections import OrderedDict

from bascule.gateway.exchange import Exchange
from bascule.gateway.respond import cost_header
from bascule.model.idempotency import KeptReply
from bascule.ports import Header

REPLAYED: Header = (b"idempotent-replayed", b"true")
_ANEW = frozenset({b"x-bascule-cache", b"x-bascule-cost-usd"})


class KeptReplies:
    """The oldest make room: a key is used up for its time, so the answer that is asked for again is a young one."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._replies: OrderedDict[bytes, KeptReply] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._replies)

    def get(self, name: bytes, now_ms: int) -> KeptReply | None:
        reply = self._replies.get(name)
        if reply is not None and reply.until_ms <= now_ms:
            self._drop(name)
            return None
        return reply

    def put(self, name: bytes, reply: KeptReply) -> None:
        """Keep an answer, unless it alone is too large."""
        if len(reply.body) > self._max_bytes:
            return
        if name in self._replies:
            self._drop(name)
        self._replies[name] = reply
        self._bytes += _size(reply)
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._replies)))

    def clear(self) -> int:
        """Forget all; says how many those were."""
        count, self._bytes = len(self._replies), 0
        self._replies.clear()
        return count

    def _drop(self, name: bytes) -> None:
        self._bytes -= _size(self._replies.pop(name))


HEAD_BYTES = 1024
"""What a reply counts for besides its body: its headers and names, roughly."""


def _size(reply: KeptReply) -> int:
    return len(reply.body) + HEAD_BYTES


async def replay(exchange: Exchange, reply: KeptReply) -> None:
    """The same status, body and request id; flagged, and at no cost. A stream comes as its stored events, at once."""
    headers = [pair for pair in reply.headers if pair[0] not in _ANEW]
    headers += [REPLAYED, (b"x-bascule-cache", b"idempotent")]
    free = cost_header(0)
    if free is not None:
        headers.append(free)
    if not reply.streamed:
        await exchange.respond(reply.status, headers, reply.body)
        return
    await exchange.start(reply.status, headers)
    await exchange.end(reply.body)
