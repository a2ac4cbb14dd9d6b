"""Relaying a Responses stream: bytes as they came, except for the last event.

The terminal event, which carries the usage and looks like a complete answer, is held back until `close`: Codex closes
its connection as soon as it has seen it, and the cost is written into the usage first. Comments are dropped until there
is content, so that a provider that sends nothing but keep-alives costs no memory.
"""

import msgspec
from msgspec import Raw, Struct, structs

from bascule.dialects.classify import not_the_dialect, protocol_fault, truncated_fault
from bascule.dialects.cumulative import latest
from bascule.dialects.fields import text_bytes, text_or_none
from bascule.dialects.openai_responses.errors import error_events
from bascule.dialects.openai_responses.event import FAILED, QUIET_ITEMS, TERMINAL, TEXT_DELTAS, Event, decode_event
from bascule.dialects.openai_responses.response import CALLS, failure, finish_reason, has_calls, item_bytes
from bascule.dialects.openai_responses.shell import Shell
from bascule.dialects.openai_responses.usage import is_search
from bascule.dialects.relayed import RelayedStream
from bascule.dialects.splice import patch, splice_cost
from bascule.dialects.sse import SseEvent, data_event, named_event
from bascule.dialects.streamed import StreamFacts
from bascule.model.errors import Refusal
from bascule.model.outcome import Fault
from bascule.model.usage import NO_USAGE, Usage


class ResponseReader(StreamFacts):
    """What is known of a stream from its events so far; shared by the relay and the translation."""

    __slots__ = ("any_event", "completed", "searches", "sequence_number", "usage")

    def __init__(self) -> None:
        super().__init__(no_done=False)  # nothing but a terminal event says that all of it is there
        self.any_event = False
        self.completed = False
        self.sequence_number = -1
        self.searches = 0
        """Items that searched and are done: not every provider repeats them in its last event."""
        self.usage: Usage = NO_USAGE

    def read(self, data: bytes) -> Event | Fault:
        """One event's data, with its facts noted; or the fault that it is."""
        try:
            event = decode_event(data)
        except msgspec.ValidationError:
            return not_the_dialect(data, "an event of a response", self.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return protocol_fault("the provider's stream holds an event that is not JSON")
        kind = event.type
        self.any_event = True
        if type(number := event.sequence_number) is int and number > self.sequence_number:
            self.sequence_number = number
        if kind in TEXT_DELTAS:
            if event.delta and type(event.delta) is str:
                self.output_bytes += text_bytes(event.delta)
                self.content = True
        elif kind == "response.output_item.added":
            self._read_item(event.item)
        elif kind == "response.output_item.done":
            self.searches += is_search(event.item)
        elif kind == "error" or (event.response is None and (kind in TERMINAL or kind in FAILED)):
            return not_the_dialect(data, "an event of a response", self.content)
        elif event.response is not None:
            return self._read_response(event)
        return event

    def ended(self) -> Fault | None:
        """What an end without a terminal event means."""
        if not self.any_event:
            return truncated_fault("the provider's stream was empty")
        return truncated_fault("the provider's stream ended without its terminal event")

    def canonical_usage(self) -> Usage:
        """With the searches of a stream that was cut, too."""
        if self.searches <= (self.usage.web_searches or 0):
            return self.usage
        return structs.replace(self.usage, web_searches=self.searches)

    def _read_item(self, item: object) -> None:
        if type(item) is not dict:
            return
        kind = item.get("type")
        if kind in CALLS:
            self.has_tool_calls = True
            self.output_bytes += text_bytes(text_or_none(item.get("name")) or "")
        if kind not in QUIET_ITEMS:
            self.content = True

    def _read_response(self, event: Event) -> Event | Fault:
        response = event.response
        assert response is not None
        self.response_id = text_or_none(response.id) or self.response_id
        self.model = text_or_none(response.model) or self.model
        if event.type not in TERMINAL and event.type not in FAILED:
            return event
        usage = response.read_usage()
        self.usage = usage if self.usage.source == "none" else latest(self.usage, usage)
        if event.type in FAILED:
            return failure(response, after_content=self.content)
        self.completed = True
        if event.type == "response.incomplete":
            response.status = "incomplete"
        if has_calls(response.output):
            self.has_tool_calls = True
        self.finish_reason = finish_reason(response, self.has_tool_calls)
        if not self.output_bytes and type(response.output) is list:
            self.output_bytes = sum(map(item_bytes, response.output))
        return event


class RelayStream(RelayedStream[ResponseReader]):
    """`StreamCodec` for a Responses stream to a Responses client."""

    __slots__ = ("_last_event", "_shell")

    def __init__(self, splice_cost: bool, shell: Shell) -> None:
        super().__init__(ResponseReader(), splice_cost)
        self._shell = shell
        """Of the failed response that a client is told of, should it come to that."""
        self._last_event: bytes | None = None
        """The terminal event's name."""

    def fail(self, refusal: Refusal) -> bytes:
        self._shell.id = self._reader.response_id or self._shell.id
        return error_events(refusal, self._shell, self._reader.sequence_number + 1)

    def _take(self, event: SseEvent, forward: list[bytes]) -> Fault | None:
        if event.data is None or event.data == b"[DONE]":
            if self._reader.content and event.data is None:
                forward.append(event.raw)
            return None
        read = self._reader.read(event.data)
        if isinstance(read, Fault):
            return read
        if read.type in TERMINAL:
            self._held.append((event.raw, event.data))
            self._last_event = event.event
            self._is_complete = True
        else:
            forward.append(event.raw)
        return None

    def _with_cost(self, data: bytes, cost_nanousd: int) -> bytes:
        priced = with_cost(data, cost_nanousd)
        return named_event(self._last_event, priced) if self._last_event else data_event(priced)


class _Holder(Struct):
    response: Raw


def with_cost(data: bytes, cost_nanousd: int) -> bytes:
    """A terminal event with `response.usage.cost`; unchanged where it has no usage."""
    response = bytes(msgspec.json.decode(data, type=_Holder).response)
    spliced = splice_cost(response, cost_nanousd)
    return data if spliced is response else patch(data, {"response": spliced})
