"""Relaying a stream of `GenerateContentResponse`s: events as they came, except for the end.

No event says that it is the last; each candidate says once why it ended, older models with every event. So a stream is
complete where every candidate that was seen has its reason and the provider then ends the body well. The events from
there on are held back until `close`: an answer must not look complete before it is, and the cost is written into the
usage first.
"""

from typing import Any

import msgspec

from bascule.dialects.classify import not_the_dialect, protocol_fault, truncated_fault
from bascule.dialects.cumulative import latest
from bascule.dialects.fields import NULL, text_or_none
from bascule.dialects.gemini.errors import error_event
from bascule.dialects.gemini.response import (
    Reply,
    broken_finish,
    content_bytes,
    decode_reply,
    finish_reason,
    parts_of,
)
from bascule.dialects.gemini.splice import spliced
from bascule.dialects.gemini.usage import read_usage
from bascule.dialects.relayed import RelayedStream
from bascule.dialects.sse import SseEvent, data_event
from bascule.dialects.streamed import StreamFacts
from bascule.model.errors import Refusal
from bascule.model.outcome import Fault
from bascule.model.usage import NO_USAGE, Usage

_MAX_HELD_EVENTS = 1_024
_WHAT = "a GenerateContentResponse"


class ResponseReader(StreamFacts):
    """What is known of a stream from its events so far; shared by the relay and the translation."""

    __slots__ = ("any_event", "blocked", "finished", "seen", "usage")

    def __init__(self, no_done: bool) -> None:
        super().__init__(no_done)
        self.any_event = False
        self.blocked = False
        self.seen: set[int] = set()
        self.finished: set[int] = set()
        self.usage: Usage = NO_USAGE

    def read(self, data: bytes) -> Reply | Fault:
        """One event's data, with its facts noted; or the fault that it is."""
        try:
            reply = decode_reply(data)
        except msgspec.ValidationError:
            return not_the_dialect(data, _WHAT, self.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return protocol_fault("the provider's stream holds an event that is not JSON")
        self.usage = latest(self.usage, read_usage(bytes(reply.usageMetadata)))
        if reply.error or _says_nothing(reply):
            return not_the_dialect(data, _WHAT, self.content)
        self.any_event = True
        if self.response_id is None:
            self.response_id = text_or_none(reply.responseId)
        if self.model is None:
            self.model = text_or_none(reply.modelVersion)
        if reply.promptFeedback is not None and type(reply.promptFeedback.blockReason) is str:
            self.blocked = True
            self.finish_reason = "content_filter"
        self._read_candidates(reply)
        return broken_finish(reply.candidates, self.output_bytes) or reply

    def is_finished(self) -> bool:
        """Every candidate that was seen has its reason, or there will be none."""
        return self.blocked or (bool(self.finished) and self.finished >= self.seen)

    def ended(self) -> Fault | None:
        """What the end of the body means."""
        if not self.any_event:
            return truncated_fault("the provider's stream was empty")
        return None if self.is_finished() else truncated_fault("the provider's stream ended before its answer did")

    def canonical_usage(self) -> Usage:
        if self.usage.source == "none" or self.is_finished():
            return self.usage
        return msgspec.structs.replace(self.usage, flags=(*self.usage.flags, "partial"))

    def _read_candidates(self, reply: Reply) -> None:
        for at, candidate in enumerate(reply.candidates or ()):
            index = number(candidate.index, at)
            self.seen.add(index)
            size, has_calls = content_bytes(candidate)
            self.output_bytes += size
            self.has_tool_calls = self.has_tool_calls or has_calls
            self.content = self.content or bool(size) or any(_is_content(part) for part in parts_of(candidate))
            if (reason := finish_reason(candidate.finishReason, self.has_tool_calls)) is not None:
                self.finished.add(index)
                if index == 0:
                    self.finish_reason = reason


def number(index: Any, position: int) -> int:
    """A candidate's number; Google leaves it out where it is 0."""
    return index if type(index) is int else position


def _says_nothing(reply: Reply) -> bool:
    return reply.candidates is None and reply.promptFeedback is None and bytes(reply.usageMetadata) == b"null"


def _is_content(part: dict[str, Any]) -> bool:
    return bool(part.keys() - {"text", "thought"}) or bool(part.get("text"))


class RelayStream(RelayedStream[ResponseReader]):
    """`StreamCodec` for a Gemini stream to a Gemini client."""

    __slots__ = ()

    def __init__(self, splice_cost: bool, no_done: bool) -> None:
        super().__init__(ResponseReader(no_done), splice_cost)

    def fail(self, refusal: Refusal) -> bytes:
        return error_event(refusal)

    def _take(self, event: SseEvent, forward: list[bytes]) -> Fault | None:
        reader = self._reader
        if event.data is None:
            return None  # Google's own SDK takes a comment for a broken event
        read = reader.read(event.data)
        if isinstance(read, Fault):
            return read
        if self._held and any(content_bytes(candidate)[0] for candidate in read.candidates or ()):
            self._release(forward)  # more of the answer after what looked like its end
        if not reader.is_finished():
            forward.append(event.raw)
            return None
        if len(self._held) == _MAX_HELD_EVENTS:
            return protocol_fault("the provider's stream goes on after its finish")
        has_usage = bytes(read.usageMetadata) != bytes(NULL)
        self._held.append((event.raw, event.data if has_usage else b""))
        return None

    def _with_cost(self, data: bytes, cost_nanousd: int) -> bytes:
        return data_event(spliced(data, cost_nanousd))
