"""What is known of a Cohere stream from its events so far."""

from typing import Any

import msgspec
from msgspec import Struct

from bascule.dialects.base import Body
from bascule.dialects.classify import not_the_dialect, protocol_fault, truncated_fault
from bascule.dialects.cohere.response import BROKEN_FINISHES, FINISH_REASONS, arguments_text, gave_up
from bascule.dialects.cohere.usage import read_usage
from bascule.dialects.fields import text_bytes, text_or_none
from bascule.dialects.streamed import StreamFacts
from bascule.model.outcome import Fault
from bascule.model.usage import Usage


class Event(Struct):
    type: str
    id: Any = None
    index: Any = None
    delta: Any = None

    def message(self) -> Body:
        """`delta.message`; an empty one where there is none."""
        return inner(self.delta, "message")


_decode = msgspec.json.Decoder(Event).decode


class EventReader(StreamFacts):
    """Reads events. `message-end` has the finish and the usage, and is the last one."""

    __slots__ = ("started", "stopped", "usage")

    def __init__(self, no_done: bool) -> None:
        super().__init__(no_done)
        self.started = False
        self.stopped = False
        self.usage: Any = None

    def read(self, data: bytes) -> Event | Fault:
        """One event's data, with its facts noted; or the fault that it is."""
        try:
            event = _decode(data)
        except msgspec.ValidationError:
            return not_the_dialect(data, "a Cohere event", self.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return protocol_fault("the provider's stream holds an event that is not JSON")
        if event.type == "error":
            return not_the_dialect(data, "a Cohere event", self.content)
        if event.type == "message-end":
            return self._end(event)
        self.started = True
        if event.type == "message-start":
            self.response_id = text_or_none(event.id)
        else:
            self._note(event)
        return event

    def ended(self) -> Fault | None:
        """What an end without `message-end` means."""
        if not self.started:
            return truncated_fault("the provider's stream was empty")
        return truncated_fault("the provider's stream ended without its terminal event")

    def canonical_usage(self) -> Usage:
        return read_usage(self.usage)

    def _end(self, event: Event) -> Event | Fault:
        if not self.started:
            return truncated_fault("the provider's stream was empty but for its end")
        self.usage = inner(event.delta, "usage") or None
        self.final_usage = True
        reason = text_or_none(event.delta.get("finish_reason")) if type(event.delta) is dict else None
        if reason in BROKEN_FINISHES:
            return gave_up(reason or "", event.delta.get("error"))
        self.stopped = True
        self.finish_reason = None if reason is None else FINISH_REASONS.get(reason, reason)
        return event

    def _note(self, event: Event) -> None:
        message = event.message()
        content = inner(message, "content")
        pieces = [content.get("text"), content.get("thinking"), message.get("tool_plan")]
        if event.type in ("tool-call-start", "tool-call-delta"):
            function = inner(tool_call(message), "function")
            pieces += [function.get("name"), arguments_text(function.get("arguments"))]
            if event.type == "tool-call-start":
                self.has_tool_calls = self.content = True
        for text in pieces:
            if type(text) is str and text:
                self.output_bytes += text_bytes(text)
                self.content = True


def tool_call(message: Body) -> Body:
    """The call of an event: `tool_calls` is one call there, not a list."""
    given = message.get("tool_calls")
    if type(given) is list and given:
        given = given[0]
    return given if type(given) is dict else {}


def inner(holder: Any, name: str) -> Body:
    """An object inside an object; an empty one where there is none."""
    value = holder.get(name) if type(holder) is dict else None
    return value if type(value) is dict else {}
