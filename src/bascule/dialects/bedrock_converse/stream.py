"""What is known of a ConverseStream from its events so far."""

from typing import Any

import msgspec
from msgspec import Struct

from bascule.dialects.bedrock_converse.errors import exception_fault, is_exception
from bascule.dialects.bedrock_converse.response import STOP_REASONS
from bascule.dialects.bedrock_converse.usage import read_usage
from bascule.dialects.classify import fault_inside_200, protocol_fault, read_error_value, truncated_fault
from bascule.dialects.event_stream import BROKEN, ERROR
from bascule.dialects.fields import text_bytes
from bascule.dialects.streamed import StreamFacts
from bascule.model.outcome import Fault
from bascule.model.usage import Usage

_decode = msgspec.json.Decoder(dict[str, Any]).decode

Payload = dict[str, Any]


class WireEvent(Struct, frozen=True, gc=False):
    """One event; `payload` is as the provider sent it, but an object."""

    kind: str
    payload: Payload


class EventReader(StreamFacts):
    """Reads events as `event_stream` gives them. `metadata`, which has the usage, is the last one; the answer itself
    ends with `messageStop`."""

    __slots__ = ("started", "stopped", "tier", "usage")

    def __init__(self, no_done: bool) -> None:
        super().__init__(no_done)
        self.started = False
        self.stopped = False
        self.usage: Any = None
        self.tier: Any = None

    @property
    def terminal(self) -> bool:
        return self.stopped and self.final_usage

    def read(self, data: bytes) -> WireEvent | Fault:
        """One event's data, with its facts noted; or the fault that it is."""
        try:
            ((kind, payload),) = _decode(data).items()
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
            return protocol_fault("the provider's stream holds an event that is not JSON")
        if kind == BROKEN:
            return protocol_fault(f"the provider's stream is damaged: {payload}")
        if kind == ERROR:
            return fault_inside_200(read_error_value(payload), self.content)
        if is_exception(kind):
            return exception_fault(kind, payload, self.content)
        if type(payload) is not dict:
            return protocol_fault("an event of the provider's stream is JSON, but not a Converse event")
        self._note(kind, payload)
        return WireEvent(kind, payload)

    def ended(self) -> Fault | None:
        """What an end without `metadata` means."""
        if not self.started:
            return truncated_fault("the provider's stream was empty")
        if self.no_done and self.stopped:
            return None
        return truncated_fault("the provider's stream ended without its terminal event")

    def canonical_usage(self) -> Usage:
        return read_usage(self.usage, self.tier)

    def _note(self, kind: str, payload: Payload) -> None:
        self.started = True
        if kind == "contentBlockDelta":
            self._note_delta(inner(payload, "delta"))
        elif kind == "contentBlockStart":
            call = inner(payload, "start").get("toolUse")
            if type(call) is dict:
                self.has_tool_calls = self.content = True
                self._count(call.get("name"))
        elif kind == "messageStop":
            self.stopped = True
            if type(reason := payload.get("stopReason")) is str:
                self.finish_reason = STOP_REASONS.get(reason, reason)
        elif kind == "metadata":
            self.final_usage = True
            self.usage = payload.get("usage")
            self.tier = payload.get("serviceTier")

    def _note_delta(self, delta: Payload) -> None:
        thought = inner(delta, "reasoningContent")
        self._count(delta.get("text"))
        self._count(inner(delta, "toolUse").get("input"))
        self._count(thought.get("text"))
        if thought.get("signature") or thought.get("redactedContent"):
            self.content = True

    def _count(self, text: Any) -> None:
        if type(text) is str and text:
            self.output_bytes += text_bytes(text)
            self.content = True


def inner(payload: Payload, name: str) -> Payload:
    """An object inside an object; an empty one where there is none."""
    value = payload.get(name)
    return value if type(value) is dict else {}
