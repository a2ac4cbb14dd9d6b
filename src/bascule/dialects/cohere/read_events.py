"""A Cohere stream as canonical events."""

from typing import Any

from bascule.dialects.base import Body, ReplyFacts
from bascule.dialects.cohere.response import FINISH_REASONS, arguments_text
from bascule.dialects.cohere.stream import Event as WireEvent
from bascule.dialects.cohere.stream import EventReader, inner, tool_call
from bascule.dialects.fields import text_or_none
from bascule.dialects.names import made_call_id
from bascule.model.events import (
    Event,
    Finished,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolArgumentsDelta,
    ToolCallStarted,
)
from bascule.model.outcome import Fault
from bascule.model.usage import Usage


class ChatEvents:
    """Reads the data of events; facts and faults are EventReader's. Citations say nothing elsewhere."""

    __slots__ = ("_argued", "_calls", "_reader", "_started")

    def __init__(self, no_done: bool) -> None:
        self._reader = EventReader(no_done)
        self._calls: dict[Any, int] = {}
        """The wire's index to the call's number."""
        self._argued: set[int] = set()
        self._started = False

    @property
    def terminal(self) -> bool:
        return self._reader.stopped

    def read(self, data: bytes) -> list[Event] | Fault:
        if data == b"[DONE]":
            return []
        wire = self._reader.read(data)
        if isinstance(wire, Fault):
            return wire
        events: list[Event] = []
        if not self._started:
            self._started = True
            events.append(Started(self._reader.response_id, None))
        self._read(wire, events)
        return events

    def read_late(self, data: bytes) -> None:
        """Nothing of this dialect comes after its terminal event."""

    def ended(self) -> Fault | None:
        return self._reader.ended()

    def usage(self) -> Usage:
        return self._reader.canonical_usage()

    def facts(self) -> ReplyFacts:
        return self._reader.facts()

    def _read(self, wire: WireEvent, events: list[Event]) -> None:
        message = wire.message()
        if wire.type in ("content-start", "content-delta"):
            content = inner(message, "content")
            if thought := text_or_none(content.get("thinking")):
                events.append(ThinkingDelta(0, thought))
            if text := text_or_none(content.get("text")):
                events.append(TextDelta(0, text))
        elif wire.type == "tool-plan-delta":
            if plan := text_or_none(message.get("tool_plan")):
                events.append(TextDelta(0, plan))
        elif wire.type == "tool-call-start":
            self._start_call(_index(wire), tool_call(message), events)
        elif wire.type == "tool-call-delta":
            pieces = arguments_text(inner(tool_call(message), "function").get("arguments"))
            self._add(self._calls.get(_index(wire)), pieces, events)
        elif wire.type == "tool-call-end":
            number = self._calls.get(_index(wire))
            if number is not None and number not in self._argued:
                self._add(number, "{}", events)
        elif wire.type == "message-end":
            reason = self._reader.finish_reason or "stop"
            events.append(Finished(0, FINISH_REASONS.get(reason, reason)))

    def _start_call(self, index: int, call: Body, events: list[Event]) -> None:
        number = self._calls[index] = len(self._calls)
        function = inner(call, "function")
        given = text_or_none(call.get("id")) or made_call_id(self._reader.response_id, 0, number)
        events.append(ToolCallStarted(0, number, given, text_or_none(function.get("name")) or "unknown"))
        self._add(number, arguments_text(function.get("arguments")), events)

    def _add(self, number: int | None, pieces: str, events: list[Event]) -> None:
        if pieces and number is not None:
            self._argued.add(number)
            events.append(ToolArgumentsDelta(0, number, pieces))


def _index(wire: WireEvent) -> int:
    return wire.index if type(wire.index) is int else 0
