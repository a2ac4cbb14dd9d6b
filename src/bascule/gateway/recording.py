"""What is recorded of attempts: their content, or sizes and digests alone."""

from collections.abc import Callable, Sequence

from bascule.gateway.admission import Admitted
from bascule.gateway.books import OpenAttempt
from bascule.model.content import Recording
from bascule.ports import ContentSink, Header, UpstreamReply


class HeardReply:
    """Implements `UpstreamReply` over another one, and keeps the first `most_bytes` of what is read of it."""

    def __init__(self, reply: UpstreamReply, most_bytes: int) -> None:
        self._reply = reply
        self._left = most_bytes
        self._pieces: list[bytes] = []
        self.came_bytes = 0

    @property
    def status(self) -> int:
        return self._reply.status

    @property
    def headers(self) -> Sequence[Header]:
        return self._reply.headers

    async def read(self) -> bytes:
        return self._heard(await self._reply.read())

    async def read_chunk(self) -> bytes:
        return self._heard(await self._reply.read_chunk())

    def close(self) -> None:
        self._reply.close()

    def heard(self) -> bytes:
        return b"".join(self._pieces)

    def _heard(self, data: bytes) -> bytes:
        self.came_bytes += len(data)
        if self._left > 0 and data:
            self._pieces.append(data[: self._left])
            self._left -= len(data)
        return data


class Recordings:
    """Records attempts. Where nothing is recorded there is none of these."""

    def __init__(self, sink: ContentSink, *, full: bool, digest: Callable[[bytes], bytes]) -> None:
        """`digest` is keyed, so that nobody can tell content from it by guessing."""
        self._sink = sink
        self._full = full
        self._digest = digest

    def hear(self, reply: UpstreamReply) -> HeardReply:
        return HeardReply(reply, self._sink.max_recorded_bytes)

    def note(self, request: Admitted, attempt: OpenAttempt, sent: bytes, reply: HeardReply | None) -> None:
        """An attempt has ended. A reply of None never came."""
        asked = sent[: self._sink.max_recorded_bytes]
        answer = b"" if reply is None else reply.heard()
        came_bytes = 0 if reply is None else reply.came_bytes
        who = request.attribution
        self._sink.take(
            Recording(
                attempt_id=attempt.attempt_id,
                request_id=request.request_id,
                ts_ms=attempt.started_ms,
                key=who.key,
                user=who.user,
                session_id=who.session_id,
                status=None if reply is None else reply.status,
                request=asked if self._full else None,
                answer=answer if self._full else None,
                request_bytes=len(sent),
                answer_bytes=came_bytes,
                request_digest=None if self._full else self._digest(asked).hex(),
                answer_digest=None if self._full else self._digest(answer).hex(),
                cut=len(asked) < len(sent) or len(answer) < came_bytes,
            )
        )
