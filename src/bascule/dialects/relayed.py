"""Relaying a stream to a client of its own dialect: bytes as they came, except for the end.

What completes an answer is held back until `close`: an answer must not look complete before it is, and its cost is
written into the usage first. A dialect adds how it takes an event and how a cost is written into one.
"""

from typing import Generic, TypeVar

from bascule.dialects.base import ReplyFacts, StreamStep
from bascule.dialects.fields import is_json
from bascule.dialects.sse import SseEvent, SseParser
from bascule.dialects.streamed import StreamFacts, again, too_long_fault
from bascule.model.errors import Refusal
from bascule.model.outcome import Fault

Reader = TypeVar("Reader", bound=StreamFacts)


class RelayedStream(Generic[Reader]):
    """The frame of a `StreamCodec`; each dialect's is one of these."""

    __slots__ = ("_ended", "_held", "_is_complete", "_parser", "_reader", "_splice_cost")

    def __init__(self, reader: Reader, splice_cost: bool) -> None:
        self._parser = SseParser()
        self._reader = reader
        self._splice_cost = splice_cost
        self._held: list[tuple[bytes, bytes]] = []
        """From the finish on: (raw event, its data); data empty where no cost belongs into it."""
        self._is_complete = False
        """The provider has said so."""
        self._ended: StreamStep | None = None

    def feed(self, data: bytes) -> StreamStep:
        if self._ended is not None:
            if self._is_complete:
                for event in self._parser.feed(data):
                    self._take_late(event)
            return again(self._ended)
        forward: list[bytes] = []
        fault: Fault | None = None
        for event in self._parser.feed(data):
            if self._is_complete:
                self._take_late(event)
            elif (fault := self._take(event, forward)) is not None:
                break
        if fault is None and self._parser.too_long and not self._is_complete:
            fault = too_long_fault()
        return self._step(forward, fault)

    def end(self) -> StreamStep:
        if self._ended is not None:
            return again(self._ended)
        forward: list[bytes] = []
        fault: Fault | None = None
        rest = self._parser.rest()
        if rest is not None and rest.data is not None and self._is_whole(rest.data):
            fault = self._take(SseEvent(rest.event, rest.data, rest.raw.rstrip(b"\r\n") + b"\n\n"), forward)
        if fault is None and not self._is_complete:
            fault = self._reader.ended()
            if fault is None:
                self._is_complete = True
                self._end_for_the_provider()
        return self._step(forward, fault)

    def close(self, cost_nanousd: int | None) -> bytes:
        """The held events, the cost written into the last of them that takes one."""
        pieces = [raw for raw, _ in self._held]
        if cost_nanousd is not None and self._splice_cost:
            for position in range(len(pieces) - 1, -1, -1):
                if data := self._held[position][1]:
                    pieces[position] = self._with_cost(data, cost_nanousd)
                    break
        return b"".join(pieces)

    def fail(self, refusal: Refusal) -> bytes:
        raise NotImplementedError

    @property
    def facts(self) -> ReplyFacts:
        return self._reader.facts()

    def _take(self, event: SseEvent, forward: list[bytes]) -> Fault | None:
        """Append the event to `forward`, hold it back, or drop it."""
        raise NotImplementedError

    def _take_late(self, event: SseEvent) -> None:
        """What comes after the end says nothing, in most dialects."""

    def _with_cost(self, data: bytes, cost_nanousd: int) -> bytes:
        """An event of this data, with its cost."""
        raise NotImplementedError

    def _is_whole(self, data: bytes) -> bool:
        """Whether what the body ended in the middle of an event's framing with is an event all the same."""
        return is_json(data)

    def _end_for_the_provider(self) -> None:
        """Hold the terminal event that the provider is known to leave out."""

    def _release(self, forward: list[bytes]) -> None:
        """What was held was not the end, so it goes out as it came."""
        if self._held:
            forward.extend(raw for raw, _ in self._held)
            self._held.clear()

    def _step(self, forward: list[bytes], fault: Fault | None) -> StreamStep:
        terminal = fault is None and self._is_complete
        step = StreamStep(forward=b"".join(forward), content=self._reader.content, terminal=terminal, fault=fault)
        if terminal or fault is not None:
            self._ended = step
        return step
