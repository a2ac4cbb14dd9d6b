"""A Chat Completions stream as canonical events."""

from typing import Any

import msgspec

from bascule.dialects.base import ReplyFacts
from bascule.dialects.names import made_call_id
from bascule.dialects.openai_chat.chunk import Delta
from bascule.dialects.openai_chat.parse_message import call_signature
from bascule.dialects.openai_chat.parse_response import thought_text
from bascule.dialects.openai_chat.response import FINISH_REASONS
from bascule.dialects.openai_chat.stream import ChunkReader
from bascule.model.events import (
    Event,
    Finished,
    RefusalDelta,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolArgumentsDelta,
    ToolCallStarted,
)
from bascule.model.outcome import Fault
from bascule.model.usage import Usage


class _Calls:
    """The tool calls of one choice. Providers number them by `index`; those that do not give each its own id."""

    __slots__ = ("by_index", "count", "ids", "waiting")

    def __init__(self) -> None:
        self.by_index: dict[Any, int] = {}
        self.ids: dict[int, str] = {}
        self.waiting: dict[int, str] = {}
        """Arguments that came before the call's name."""
        self.count = 0

    def number(self, index: Any, given_id: str) -> tuple[int, bool]:
        """(the call's number, whether it is new)."""
        known = self.by_index.get(index)
        if known is not None and (not given_id or self.ids[known] in (given_id, "")):
            return known, False
        call = self.count
        self.count += 1
        self.by_index[index] = call
        self.ids[call] = given_id
        self.waiting[call] = ""
        return call, True


class ChunkEvents:
    """Reads the data of events; facts and faults are ChunkReader's."""

    __slots__ = ("_calls", "_reader", "_started", "terminal")

    def __init__(self, no_done: bool) -> None:
        self._reader = ChunkReader(no_done)
        self._calls: dict[int, _Calls] = {}
        self._started = False
        self.terminal = False

    def read(self, data: bytes) -> list[Event] | Fault:
        if data == b"[DONE]":
            if not self._reader.any_chunk:
                return self._reader.ended() or []
            self.terminal = True
            return []
        chunk = self._reader.read(data)
        if isinstance(chunk, Fault):
            return chunk
        events: list[Event] = []
        if not self._started:
            self._started = True
            events.append(Started(self._reader.response_id, self._reader.model))
        for choice in chunk.choices or ():
            number = choice.index if type(choice.index) is int else 0
            if choice.delta is not None:
                self._read_delta(number, choice.delta, events)
            if type(finish := choice.finish_reason) is str and finish:
                events.append(Finished(number, FINISH_REASONS.get(finish, finish)))
        return events

    def read_late(self, data: bytes) -> None:
        self._reader.read_late(data)

    def ended(self) -> Fault | None:
        return self._reader.ended()

    def usage(self) -> Usage:
        return self._reader.canonical_usage()

    def facts(self) -> ReplyFacts:
        return self._reader.facts()

    def _read_delta(self, choice: int, delta: Delta, events: list[Event]) -> None:
        thought = delta.reasoning_content or delta.reasoning
        if thought and type(thought) is str:
            events.append(ThinkingDelta(choice, thought))
        if delta.content:
            events += _content(choice, delta.content)
        if delta.refusal and type(delta.refusal) is str:
            events.append(RefusalDelta(choice, delta.refusal))
        for call in delta.tool_calls if type(delta.tool_calls) is list else ():
            if type(call) is dict:
                self._read_call(choice, call, events)

    def _read_call(self, choice: int, wire: dict[str, Any], events: list[Event]) -> None:
        calls = self._calls.get(choice)
        if calls is None:
            calls = self._calls[choice] = _Calls()
        given_id = wire.get("id")
        given_id = given_id if type(given_id) is str else ""
        index = wire.get("index")
        call, _ = calls.number(index if type(index) is int else 0, given_id)
        function = wire.get("function")
        if type(function) is not dict:
            return
        pieces = function.get("arguments")
        if pieces is not None and type(pieces) is not str:
            pieces = msgspec.json.encode(pieces).decode()
        name = function.get("name")
        if call in calls.waiting:
            if type(name) is not str or not name:
                calls.waiting[call] += pieces or ""
                return
            call_id = calls.ids[call] or made_call_id(self._reader.response_id, choice, call)
            events.append(ToolCallStarted(choice, call, call_id, name, call_signature(wire)))
            pieces = calls.waiting.pop(call) + (pieces or "")
        if pieces:
            events.append(ToolArgumentsDelta(choice, call, pieces))


def _content(choice: int, content: Any) -> list[Event]:
    """Text, or Mistral's list of parts."""
    if type(content) is str:
        return [TextDelta(choice, content)]
    events: list[Event] = []
    for part in content if type(content) is list else ():
        if type(part) is not dict:
            continue
        if part.get("type") == "thinking" and (thought := thought_text(part)):
            events.append(ThinkingDelta(choice, thought))
        elif part.get("type") == "text" and type(text := part.get("text")) is str and text:
            events.append(TextDelta(choice, text))
    return events
