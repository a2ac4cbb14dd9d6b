"""A stream as one JSON array that grows: what Google's clients get that ask for no server-sent events."""

from msgspec import structs

from bascule.dialects.base import ReplyFacts, StreamCodec, StreamStep
from bascule.dialects.sse import whole_events
from bascule.model.errors import Refusal


class JsonArrayStream:
    """`StreamCodec` around another whose events hold a JSON document each. An error is the last element, and behind it
    the array is closed: only then can it be read."""

    __slots__ = ("_opened", "_stream")

    def __init__(self, stream: StreamCodec) -> None:
        self._stream = stream
        self._opened = False

    def feed(self, data: bytes) -> StreamStep:
        return self._reframed(self._stream.feed(data))

    def end(self) -> StreamStep:
        return self._reframed(self._stream.end())

    def close(self, cost_nanousd: int | None) -> bytes:
        return self._last(self._stream.close(cost_nanousd))

    def fail(self, refusal: Refusal) -> bytes:
        return self._last(self._stream.fail(refusal))

    @property
    def facts(self) -> ReplyFacts:
        return self._stream.facts

    def _reframed(self, step: StreamStep) -> StreamStep:
        return structs.replace(step, forward=self._elements(step.forward)) if step.forward else step

    def _last(self, events: bytes) -> bytes:
        elements = self._elements(events)
        return elements + b"]" if self._opened else b"[]"

    def _elements(self, events: bytes) -> bytes:
        """Of events that are whole: no codec forwards a part of one."""
        out: list[bytes] = []
        for event in whole_events(events):
            if event.data is not None:
                out.append((b",\r\n" if self._opened else b"[") + event.data)
                self._opened = True
        return b"".join(out)
