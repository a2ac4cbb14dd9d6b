"""A Responses stream as canonical events.

Providers differ in what they stream: all deltas, none of some items, or only the last event. What the deltas left out
is taken from the item's own end, and what no item said from the last event, so that nothing is lost or said twice.
"""

from typing import Any

from bascule.dialects.base import ReplyFacts
from bascule.dialects.fields import text_or_none
from bascule.dialects.openai_responses.event import TERMINAL
from bascule.dialects.openai_responses.event import Event as WireEvent
from bascule.dialects.openai_responses.parse_response import (
    call_arguments,
    call_id_of,
    call_name,
    item_blocks,
    reasoning_text,
)
from bascule.dialects.openai_responses.response import CALLS
from bascule.dialects.openai_responses.signature import item_signature
from bascule.dialects.openai_responses.stream import ResponseReader
from bascule.model.events import (
    Event,
    Finished,
    RedactedThinkingSeen,
    RefusalDelta,
    Started,
    TextDelta,
    ThinkingDelta,
    ThinkingSigned,
    ToolArgumentsDelta,
    ToolCallStarted,
)
from bascule.model.outcome import Fault
from bascule.model.request import RefusalText, Text
from bascule.model.usage import Usage


class _Item:
    """One item of the answer, by its place."""

    __slots__ = ("call", "ended", "said", "summary")

    def __init__(self) -> None:
        self.call: int | None = None
        self.said = False
        """Some of its text or arguments has been streamed."""
        self.summary: Any = None
        """The part of a summary that is being streamed."""
        self.ended = False


class ResponseEvents:
    """Reads the data of events; facts and faults are ResponseReader's."""

    __slots__ = ("_calls", "_items", "_reader", "_started")

    def __init__(self, no_done: bool) -> None:
        self._reader = ResponseReader()
        self._items: dict[Any, _Item] = {}
        self._calls = 0
        self._started = False

    @property
    def terminal(self) -> bool:
        return self._reader.completed

    def read(self, data: bytes) -> list[Event] | Fault:
        if data == b"[DONE]":
            return []
        wire = self._reader.read(data)
        if isinstance(wire, Fault):
            return wire
        events: list[Event] = []
        if not self._started:
            self._started = True
            events.append(Started(self._reader.response_id, self._reader.model))
        kind = wire.type
        if kind.endswith(".delta"):
            if wire.delta and type(wire.delta) is str:
                self._read_delta(kind, wire, wire.delta, events)
        elif kind == "response.output_item.added" or kind == "response.output_item.done":
            if type(wire.item) is dict:
                self._read_item(wire.item, wire.output_index, kind.endswith("done"), events)
        elif kind in TERMINAL:
            self._read_end(wire, events)
        return events

    def read_late(self, data: bytes) -> None:
        """Nothing of this dialect comes after its terminal event."""

    def ended(self) -> Fault | None:
        return self._reader.ended()

    def usage(self) -> Usage:
        return self._reader.canonical_usage()

    def facts(self) -> ReplyFacts:
        return self._reader.facts()

    def _item(self, index: Any) -> _Item:
        key = index if type(index) is int else None
        if (item := self._items.get(key)) is None:
            item = self._items[key] = _Item()
        return item

    def _read_delta(self, kind: str, wire: WireEvent, text: str, events: list[Event]) -> None:
        item = self._item(wire.output_index)
        if kind == "response.output_text.delta":
            events.append(TextDelta(0, text))
        elif kind == "response.refusal.delta":
            events.append(RefusalDelta(0, text))
        elif kind == "response.reasoning_summary_text.delta" or kind == "response.reasoning_text.delta":
            if item.said and wire.summary_index != item.summary:
                events.append(ThinkingDelta(0, "\n\n"))
            item.summary = wire.summary_index
            events.append(ThinkingDelta(0, text))
        elif item.call is not None and kind in (
            "response.function_call_arguments.delta",
            "response.custom_tool_call_input.delta",
        ):
            events.append(ToolArgumentsDelta(0, item.call, text))
        else:
            return
        item.said = True

    def _read_item(self, wire: dict[str, Any], index: Any, ended: bool, events: list[Event]) -> None:
        if not ended and type(index) is not int:
            self._items.pop(None, None)  # the next item that does not say its place
        item = self._item(index)
        kind = wire.get("type")
        if item.ended:
            return
        if kind in CALLS:
            self._read_call(item, wire, ended, events)
        elif ended and kind == "reasoning":
            _end_reasoning(item, wire, events)
        elif ended and kind == "message" and not item.said:
            for block in item_blocks(wire, None, 0):
                if isinstance(block, Text):
                    events.append(TextDelta(0, block.text))
                elif isinstance(block, RefusalText):
                    events.append(RefusalDelta(0, block.text))
        item.ended = ended

    def _read_call(self, item: _Item, wire: dict[str, Any], ended: bool, events: list[Event]) -> None:
        if item.call is None:
            item.call = self._calls
            self._calls += 1
            given = call_id_of(wire, self._reader.response_id, item.call)
            kind: Any = "custom" if wire.get("type") == "custom_tool_call" else "function"
            events.append(ToolCallStarted(0, item.call, given, call_name(wire), kind=kind))
        if ended and not item.said:
            arguments = call_arguments(wire) or ("" if wire.get("type") == "custom_tool_call" else "{}")
            if arguments:
                events.append(ToolArgumentsDelta(0, item.call, arguments))

    def _read_end(self, wire: WireEvent, events: list[Event]) -> None:
        response = wire.response
        output = response.output if response is not None and type(response.output) is list else []
        for index, item in enumerate(output):
            # An item that was streamed without its place is known under None: then the places say nothing.
            if type(item) is dict and None not in self._items:
                self._read_item(item, index, True, events)
        events.append(Finished(0, self._reader.finish_reason or "stop"))


def _end_reasoning(item: _Item, wire: dict[str, Any], events: list[Event]) -> None:
    if not item.said and (thought := reasoning_text(wire)):
        item.said = True
        events.append(ThinkingDelta(0, thought))
    encrypted = text_or_none(wire.get("encrypted_content"))
    signature, _ = item_signature(text_or_none(wire.get("id")), encrypted)
    if signature is not None:
        events.append(ThinkingSigned(0, signature) if item.said else RedactedThinkingSeen(0, signature))
