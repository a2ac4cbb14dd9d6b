"""A Messages stream as canonical events."""

from bascule.dialects.anthropic_messages.parse_content import NAME
from bascule.dialects.anthropic_messages.response import STOP_REASONS
from bascule.dialects.anthropic_messages.stream import Block, Delta, EventReader
from bascule.dialects.anthropic_messages.stream import Event as WireEvent
from bascule.dialects.base import ReplyFacts
from bascule.dialects.fields import text_or_none
from bascule.dialects.names import made_call_id
from bascule.model.events import (
    Event,
    Finished,
    RedactedThinkingSeen,
    Started,
    TextDelta,
    ThinkingDelta,
    ThinkingSigned,
    ToolArgumentsDelta,
    ToolCallStarted,
)
from bascule.model.outcome import Fault
from bascule.model.request import Signature
from bascule.model.usage import Usage


class MessageEvents:
    """Reads the data of events; facts and faults are EventReader's. Blocks of server tools say nothing elsewhere."""

    __slots__ = ("_argued", "_calls", "_finished", "_reader", "_started")

    def __init__(self, no_done: bool) -> None:
        self._reader = EventReader(no_done)
        self._calls: dict[int, int] = {}
        """Block index to call number."""
        self._argued: set[int] = set()
        self._started = False
        self._finished = False

    @property
    def terminal(self) -> bool:
        return self._reader.stopped

    def read(self, data: bytes) -> list[Event] | Fault:
        wire = self._reader.read(data)
        if isinstance(wire, Fault):
            return wire
        events: list[Event] = []
        kind = wire.type
        if kind == "content_block_delta" and wire.delta is not None:
            self._read_delta(_index(wire), wire.delta, events)
        elif kind == "content_block_start" and wire.content_block is not None:
            self._read_block(_index(wire), wire.content_block, events)
        elif kind == "content_block_stop":
            call = self._calls.get(_index(wire))
            if call is not None and call not in self._argued:
                events.append(ToolArgumentsDelta(0, call, "{}"))  # a call without arguments streams none
        elif kind == "message_start" and not self._started:
            self._started = True
            events.append(Started(self._reader.response_id, self._reader.model))
        elif kind == "message_delta" and wire.delta is not None and not self._finished:
            reason = wire.delta.stop_reason
            if type(reason) is str:
                self._finished = True
                events.append(Finished(0, STOP_REASONS.get(reason, reason), text_or_none(wire.delta.stop_sequence)))
        return events

    def read_late(self, data: bytes) -> None:
        """Nothing of this dialect comes after its terminal event."""

    def ended(self) -> Fault | None:
        return self._reader.ended()

    def usage(self) -> Usage:
        return self._reader.canonical_usage()

    def facts(self) -> ReplyFacts:
        return self._reader.facts()

    def _read_block(self, index: int, block: Block, events: list[Event]) -> None:
        if block.type == "text" and block.text and type(block.text) is str:
            events.append(TextDelta(0, block.text))
        elif block.type == "thinking" and block.thinking and type(block.thinking) is str:
            events.append(ThinkingDelta(0, block.thinking))
        elif block.type == "redacted_thinking":
            events.append(RedactedThinkingSeen(0, Signature(NAME, str(block.data))))
        elif block.type == "tool_use":
            call = self._calls[index] = len(self._calls)
            events.append(ToolCallStarted(0, call, self._call_id(block, call), str(block.name or "unknown")))
            given = bytes(block.input)
            if given not in (b"null", b"{}"):
                self._argued.add(call)
                events.append(ToolArgumentsDelta(0, call, given.decode()))

    def _call_id(self, block: Block, call: int) -> str:
        return str(block.id) if block.id else made_call_id(self._reader.response_id, 0, call)

    def _read_delta(self, index: int, delta: Delta, events: list[Event]) -> None:
        if delta.text and type(delta.text) is str:
            events.append(TextDelta(0, delta.text))
        elif delta.thinking and type(delta.thinking) is str:
            events.append(ThinkingDelta(0, delta.thinking))
        elif delta.signature and type(delta.signature) is str:
            events.append(ThinkingSigned(0, Signature(NAME, delta.signature)))
        elif delta.partial_json and type(delta.partial_json) is str and (call := self._calls.get(index)) is not None:
            self._argued.add(call)
            events.append(ToolArgumentsDelta(0, call, delta.partial_json))


def _index(wire: WireEvent) -> int:
    return wire.index if type(wire.index) is int else 0
