"""Relaying a Messages stream: bytes as they came, except for the end.

`message_delta`, which carries the final usage, and `message_stop` are held back until `close`, so that the cost can
be written into the usage first. Pings and comments are dropped until there is content, so that a provider that sends
nothing else costs no memory.
"""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from bascule.dialects.anthropic_messages.errors import error_event
from bascule.dialects.anthropic_messages.response import STOP_REASONS
from bascule.dialects.anthropic_messages.usage import merge_usage, read_usage
from bascule.dialects.classify import not_the_dialect, protocol_fault, truncated_fault
from bascule.dialects.cumulative import latest
from bascule.dialects.fields import NULL, text_bytes, text_or_none
from bascule.dialects.relayed import RelayedStream
from bascule.dialects.splice import splice_cost
from bascule.dialects.sse import SseEvent, named_event
from bascule.dialects.streamed import StreamFacts
from bascule.model.errors import Refusal
from bascule.model.outcome import Fault
from bascule.model.usage import NO_USAGE, Usage

STOP = named_event(b"message_stop", b'{"type":"message_stop"}')


class Start(Struct, gc=False):
    id: Any = None
    model: Any = None
    usage: Any = None


class Block(Struct, gc=False):
    type: Any = None
    id: Any = None
    name: Any = None
    text: Any = None
    thinking: Any = None
    data: Any = None
    input: Raw = NULL


class Delta(Struct, gc=False):
    type: Any = None
    text: Any = None
    thinking: Any = None
    partial_json: Any = None
    signature: Any = None
    stop_reason: Any = None
    stop_sequence: Any = None


class Event(Struct):
    type: str
    index: Any = None
    message: Start | None = None
    content_block: Block | None = None
    delta: Delta | None = None
    usage: Any = None
    error: Any = None


_decode = msgspec.json.Decoder(Event).decode


class EventReader(StreamFacts):
    """What is known of a stream from its events so far; shared by the relay and the translation."""

    __slots__ = ("_said", "_usage", "started", "stopped")

    def __init__(self, no_done: bool) -> None:
        super().__init__(no_done)
        self.started = False
        self.stopped = False
        self._said: dict[str, Any] = {}
        """The wire's own object, made up of all that events said."""
        self._usage: Usage = NO_USAGE

    def read(self, data: bytes) -> Event | Fault:
        """One event's data, with its facts noted; or the fault that it is."""
        try:
            event = _decode(data)
        except msgspec.ValidationError:
            return not_the_dialect(data, "a Messages event", self.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return protocol_fault("the provider's stream holds an event that is not JSON")
        kind = event.type
        if kind == "content_block_delta":
            self._read_delta(event.delta)
        elif kind == "content_block_start":
            self._read_block(event.content_block)
        elif kind == "message_start":
            self.started = True
            if (start := event.message) is not None:
                self.response_id = text_or_none(start.id)
                self.model = text_or_none(start.model)
                self._note_usage(start.usage)
        elif kind == "message_delta":
            self._note_usage(event.usage)
            self.final_usage = self.final_usage or event.usage is not None
            if event.delta is not None and type(reason := event.delta.stop_reason) is str:
                self.finish_reason = STOP_REASONS.get(reason, reason)
        elif kind == "message_stop":
            if not self.started:
                return truncated_fault("the provider's stream was empty but for its end")
            self.stopped = True
        elif kind == "error":
            self._note_usage(event.usage)
            return not_the_dialect(data, "a Messages event", self.content)
        return event

    def ended(self) -> Fault | None:
        """What an end without `message_stop` means."""
        if not self.started:
            return truncated_fault("the provider's stream was empty")
        if self.no_done and self.finish_reason is not None:
            return None
        return truncated_fault("the provider's stream ended without its terminal event")

    def canonical_usage(self) -> Usage:
        usage = self._usage
        if usage.source == "none" or self.final_usage:
            return usage
        return msgspec.structs.replace(usage, flags=(*usage.flags, "partial"))

    def _note_usage(self, said: Any) -> None:
        self._said = merge_usage(self._said, said)
        self._usage = latest(self._usage, read_usage(self._said))

    def _read_delta(self, delta: Delta | None) -> None:
        if delta is None:
            return
        for text in (delta.text, delta.thinking, delta.partial_json):
            if type(text) is str and text:
                self.output_bytes += text_bytes(text)
                self.content = True
        if delta.signature:
            self.content = True

    def _read_block(self, block: Block | None) -> None:
        if block is None:
            return
        if block.type == "tool_use":
            self.has_tool_calls = True
        for text in (block.text, block.thinking, block.name):
            if type(text) is str and text:
                self.output_bytes += text_bytes(text)
                self.content = True
        if block.type not in ("text", "thinking"):
            self.content = True


class RelayStream(RelayedStream[EventReader]):
    """`StreamCodec` for a Messages stream to a Messages client."""

    __slots__ = ()

    def __init__(self, splice_cost: bool, no_done: bool) -> None:
        super().__init__(EventReader(no_done), splice_cost)

    def fail(self, refusal: Refusal) -> bytes:
        return error_event(refusal)

    def _take(self, event: SseEvent, forward: list[bytes]) -> Fault | None:
        if event.data is None:
            if self._reader.content and not self._held:
                forward.append(event.raw)
            return None
        read = self._reader.read(event.data)
        if isinstance(read, Fault):
            return read
        if read.type == "message_stop":
            self._held.append((event.raw, b""))
        elif read.type == "message_delta":
            self._release(forward)  # usage in the middle of the stream was not the last word
            self._held.append((event.raw, event.data))
        elif read.type == "ping":
            if self._reader.content and not self._held:
                forward.append(event.raw)
        else:
            self._release(forward)
            forward.append(event.raw)
        self._is_complete = self._reader.stopped
        return None

    def _with_cost(self, data: bytes, cost_nanousd: int) -> bytes:
        return named_event(b"message_delta", splice_cost(data, cost_nanousd))

    def _end_for_the_provider(self) -> None:
        self._reader.stopped = True
        self._held.append((STOP, b""))
