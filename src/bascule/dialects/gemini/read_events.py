"""A Gemini stream as canonical events."""

from bascule.dialects.base import ReplyFacts
from bascule.dialects.gemini.parse_response import answered_block
from bascule.dialects.gemini.response import Candidate, finish_reason, parts_of
from bascule.dialects.gemini.stream import ResponseReader, number
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
from bascule.model.request import Text, Thinking, ToolUse
from bascule.model.usage import Usage


class ResponseEvents:
    """Reads the data of events; facts and faults are ResponseReader's. A call comes whole. A candidate may say more
    than once why it ended, and writers take the last."""

    __slots__ = ("_calls", "_reader", "_started")

    def __init__(self, no_done: bool) -> None:
        self._reader = ResponseReader(no_done)
        self._calls: dict[int, int] = {}
        """How many calls each candidate has made."""
        self._started = False

    @property
    def terminal(self) -> bool:
        return False  # only the end of the body says so

    def read(self, data: bytes) -> list[Event] | Fault:
        reply = self._reader.read(data)
        if isinstance(reply, Fault):
            return reply
        events: list[Event] = []
        if not self._started:
            self._started = True
            events.append(Started(self._reader.response_id, self._reader.model))
        for at, candidate in enumerate(reply.candidates or ()):
            self._read_candidate(number(candidate.index, at), candidate, events)
        if self._reader.blocked:
            events.append(Finished(0, "content_filter"))
        return events

    def read_late(self, data: bytes) -> None:
        """Nothing comes after the end of the body."""

    def ended(self) -> Fault | None:
        return self._reader.ended()

    def usage(self) -> Usage:
        return self._reader.canonical_usage()

    def facts(self) -> ReplyFacts:
        return self._reader.facts()

    def _read_candidate(self, choice: int, candidate: Candidate, events: list[Event]) -> None:
        for part in parts_of(candidate):
            call = self._calls.get(choice, 0)
            block = answered_block(part, made_call_id(self._reader.response_id, choice, call))
            if isinstance(block, Text):
                events.append(TextDelta(choice, block.text))
            elif isinstance(block, Thinking):
                events.append(ThinkingDelta(choice, block.text))
            elif isinstance(block, ToolUse):
                self._calls[choice] = call + 1
                events.append(ToolCallStarted(choice, call, block.id, block.name, block.signature))
                events.append(ToolArgumentsDelta(choice, call, block.arguments))
        reason = finish_reason(candidate.finishReason, bool(self._calls.get(choice)))
        if reason is not None:
            events.append(Finished(choice, reason))
