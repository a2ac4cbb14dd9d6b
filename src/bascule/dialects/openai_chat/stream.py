"""Relaying a Chat Completions stream: bytes as they came, except for the usage chunk and the end.

The chunks that finish the answer, the usage and `[DONE]` are held back until `close`: an answer must not look complete
before it is, and the cost is written into the usage first. Blocks of comments are dropped until there is content, so
that a provider that sends nothing but keep-alives costs no memory.
"""

import msgspec

from bascule.dialects.classify import (
    fault_inside_200,
    not_the_dialect,
    protocol_fault,
    read_error_value,
    truncated_fault,
)
from bascule.dialects.cumulative import latest
from bascule.dialects.fields import is_json, text_or_none
from bascule.dialects.openai_chat.chunk import Chunk, decode_chunk
from bascule.dialects.openai_chat.errors import error_event
from bascule.dialects.openai_chat.response import FINISH_REASONS, gave_up, message_bytes
from bascule.dialects.openai_chat.usage import read_usage
from bascule.dialects.relayed import RelayedStream
from bascule.dialects.splice import splice_cost
from bascule.dialects.sse import SseEvent, data_event
from bascule.dialects.streamed import StreamFacts
from bascule.model.errors import Refusal
from bascule.model.outcome import Fault
from bascule.model.usage import NO_USAGE, Usage

_DONE = b"[DONE]"
DONE = b"data: [DONE]\n\n"

_MAX_HELD_EVENTS = 1_024


class ChunkReader(StreamFacts):
    """What is known of a stream from its chunks so far; shared by the relay and the translation."""

    __slots__ = ("any_chunk", "finished", "seen", "usage")

    def __init__(self, no_done: bool) -> None:
        super().__init__(no_done)
        self.any_chunk = False
        self.usage: Usage = NO_USAGE
        self.seen: set[int] = set()
        self.finished: set[int] = set()

    def read(self, data: bytes) -> Chunk | Fault:
        """One event's data as a chunk, with its facts noted; or the fault that it is."""
        try:
            chunk = decode_chunk(data)
        except msgspec.ValidationError:
            return not_the_dialect(data, "a chat completion chunk", self.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return protocol_fault("the provider's stream holds an event that is not JSON")
        if bytes(chunk.usage) != b"null":
            usage = read_usage(bytes(chunk.usage), chunk.service_tier)
            if usage.source != "none":
                self.usage = latest(self.usage, usage)
                self.final_usage = not chunk.choices
        if chunk.error:
            return fault_inside_200(read_error_value({"error": chunk.error}), self.content)
        if chunk.choices is None and chunk.usage == b"null":
            return not_the_dialect(data, "a chat completion chunk", self.content)
        self.any_chunk = True
        if self.response_id is None:
            self.response_id = text_or_none(chunk.id)
        if self.model is None:
            self.model = text_or_none(chunk.model)
        if (fault := self._read_choices(chunk)) is not None:
            return fault
        return chunk

    def read_late(self, data: bytes) -> None:
        """Usage that comes after the terminal event still counts where there was none; nothing else does."""
        if self.usage.source == "none" and b'"usage"' in data:
            self.read(data)

    def ended(self) -> Fault | None:
        """What an end without `[DONE]` means."""
        if not self.any_chunk:
            return truncated_fault("the provider's stream was empty")
        if self.no_done and self.is_finished():
            return None
        return truncated_fault("the provider's stream ended without its terminal event")

    def canonical_usage(self) -> Usage:
        """The usage seen; `partial` where it came in the middle and the choices were not finished yet."""
        if self.usage.source == "none" or self.final_usage or self.is_finished():
            return self.usage
        return msgspec.structs.replace(self.usage, flags=(*self.usage.flags, "partial"))

    def is_finished(self) -> bool:
        """Every choice that was seen has its finish reason."""
        return bool(self.finished) and self.finished >= self.seen

    def _read_choices(self, chunk: Chunk) -> Fault | None:
        for choice in chunk.choices or ():
            index = choice.index if type(choice.index) is int else 0
            self.seen.add(index)
            if (delta := choice.delta) is not None:
                if size := message_bytes(delta):
                    self.output_bytes += size
                    self.content = True
                if delta.tool_calls or delta.function_call:
                    self.has_tool_calls = True
                    self.content = True
                elif delta.audio:
                    self.content = True
            finish = choice.finish_reason
            if choice.error or gave_up(finish):
                words = read_error_value({"error": choice.error or f"finish_reason is {finish}"})
                return fault_inside_200(words, self.content)
            if type(finish) is str and finish:
                self.finished.add(index)
                if index == 0:
                    self.finish_reason = FINISH_REASONS.get(finish, finish)
        return None


class RelayStream(RelayedStream[ChunkReader]):
    """`StreamCodec` for a Chat Completions stream to a Chat Completions client."""

    __slots__ = ("_wants_usage",)

    def __init__(self, wants_usage: bool, splice_cost: bool, no_done: bool) -> None:
        super().__init__(ChunkReader(no_done), splice_cost)
        self._wants_usage = wants_usage

    def fail(self, refusal: Refusal) -> bytes:
        return error_event(refusal)

    def _take(self, event: SseEvent, forward: list[bytes]) -> Fault | None:
        data = event.data
        if data is None:
            if self._reader.content and not self._held:
                forward.append(event.raw)
            return None
        if data == _DONE:
            if not self._reader.any_chunk:
                return truncated_fault("the provider's stream was empty but for its end")
            self._held.append((event.raw, b""))
            self._is_complete = True
            return None
        chunk = self._reader.read(data)
        if isinstance(chunk, Fault):
            return chunk
        has_usage = bytes(chunk.usage) != b"null"
        if has_usage and not chunk.choices and not self._wants_usage:
            return None
        if (has_usage and not chunk.choices) or self._reader.is_finished():
            if len(self._held) == _MAX_HELD_EVENTS:
                return protocol_fault("the provider's stream goes on after its finish")
            self._held.append((event.raw, data if has_usage and self._wants_usage else b""))
            return None
        self._release(forward)
        forward.append(event.raw)
        return None

    def _take_late(self, event: SseEvent) -> None:
        self._reader.read_late(event.data or b"")

    def _with_cost(self, data: bytes, cost_nanousd: int) -> bytes:
        return data_event(splice_cost(data, cost_nanousd))

    def _is_whole(self, data: bytes) -> bool:
        return data == _DONE or is_json(data)

    def _end_for_the_provider(self) -> None:
        self._held.append((DONE, b""))
