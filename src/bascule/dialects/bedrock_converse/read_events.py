"""A ConverseStream as canonical events."""

from typing import Any

from bascule.dialects.base import ReplyFacts
from bascule.dialects.bedrock_converse.parse_response import ISSUER, stop_sequence
from bascule.dialects.bedrock_converse.response import STOP_REASONS
from bascule.dialects.bedrock_converse.stream import EventReader, Payload, inner
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


class ConverseEvents:
    """Reads the data of events; facts and faults are EventReader's. Text has no start of its own on this wire."""

    __slots__ = ("_argued", "_calls", "_finished", "_reader", "_started")

    def __init__(self, no_done: bool) -> None:
        self._reader = EventReader(no_done)
        self._calls: dict[Any, int] = {}
        """Block index to call number."""
        self._argued: set[int] = set()
        self._started = False
        self._finished = False

    @property
    def terminal(self) -> bool:
        return self._reader.terminal

    def read(self, data: bytes) -> list[Event] | Fault:
        wire = self._reader.read(data)
        if isinstance(wire, Fault):
            return wire
        events: list[Event] = []
        if not self._started:
            self._started = True
            events.append(Started(None, None))
        kind, payload = wire.kind, wire.payload
        if kind == "contentBlockDelta":
            self._read_delta(_index(payload), inner(payload, "delta"), events)
        elif kind == "contentBlockStart":
            call = inner(payload, "start").get("toolUse")
            if type(call) is dict:
                self._start_call(_index(payload), call, events)
        elif kind == "contentBlockStop":
            number = self._calls.get(_index(payload))
            if number is not None and number not in self._argued:
                self._argued.add(number)
                events.append(ToolArgumentsDelta(0, number, "{}"))  # a call without arguments streams none
        elif kind == "messageStop" and not self._finished:
            self._finished = True
            reason = text_or_none(payload.get("stopReason")) or "end_turn"
            sequence = stop_sequence(payload.get("additionalModelResponseFields"))
            events.append(Finished(0, STOP_REASONS.get(reason, reason), sequence))
        return events

    def read_late(self, data: bytes) -> None:
        """Nothing of this dialect comes after its terminal event."""

    def ended(self) -> Fault | None:
        return self._reader.ended()

    def usage(self) -> Usage:
        return self._reader.canonical_usage()

    def facts(self) -> ReplyFacts:
        return self._reader.facts()

    def _start_call(self, index: int, call: Payload, events: list[Event]) -> None:
        number = self._calls[index] = len(self._calls)
        given = text_or_none(call.get("toolUseId")) or made_call_id(None, 0, number)
        events.append(ToolCallStarted(0, number, given, text_or_none(call.get("name")) or "unknown"))

    def _read_delta(self, index: int, delta: Payload, events: list[Event]) -> None:
        if text := text_or_none(delta.get("text")):
            events.append(TextDelta(0, text))
        thought = inner(delta, "reasoningContent")
        if text := text_or_none(thought.get("text")):
            events.append(ThinkingDelta(0, text))
        if signature := text_or_none(thought.get("signature")):
            events.append(ThinkingSigned(0, Signature(ISSUER, signature)))
        if redacted := text_or_none(thought.get("redactedContent")):
            events.append(RedactedThinkingSeen(0, Signature(ISSUER, redacted)))
        piece = text_or_none(inner(delta, "toolUse").get("input"))
        if piece and (number := self._calls.get(index)) is not None:
            self._argued.add(number)
            events.append(ToolArgumentsDelta(0, number, piece))


def _index(payload: Payload) -> int:
    index = payload.get("contentBlockIndex")
    return index if type(index) is int else 0
