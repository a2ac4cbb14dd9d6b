"""What the stream codecs share: facts noted event by event, and an end said again."""

from bascule.dialects.base import ReplyFacts, StreamStep
from bascule.dialects.classify import protocol_fault
from bascule.model.outcome import Fault
from bascule.model.usage import Usage


class StreamFacts:
    """What is known of a stream from its events so far. Each dialect's reader adds how it reads them, and its usage."""

    __slots__ = (
        "content",
        "final_usage",
        "finish_reason",
        "has_tool_calls",
        "model",
        "no_done",
        "output_bytes",
        "response_id",
    )

    def __init__(self, no_done: bool) -> None:
        self.no_done = no_done
        """The provider ends its streams without the dialect's terminal event."""
        self.content = False
        self.final_usage = False
        self.response_id: str | None = None
        self.model: str | None = None
        self.finish_reason: str | None = None
        self.has_tool_calls = False
        self.output_bytes = 0

    def ended(self) -> Fault | None:
        """What the end of the body means where no terminal event came."""
        raise NotImplementedError

    def canonical_usage(self) -> Usage:
        """The usage seen; `partial` where it came in the middle of the stream."""
        raise NotImplementedError

    def facts(self) -> ReplyFacts:
        return ReplyFacts(
            usage=self.canonical_usage(),
            response_id=self.response_id,
            model=self.model,
            finish_reason=self.finish_reason,
            has_tool_calls=self.has_tool_calls,
            output_bytes=self.output_bytes,
        )


def too_long_fault() -> Fault:
    """An event that is longer than `sse.MAX_EVENT_BYTES`."""
    return protocol_fault("the provider's stream holds an event of more than 1 MB")


def again(ended: StreamStep) -> StreamStep:
    """The answer to whatever comes after the step that ended the stream."""
    return StreamStep(content=ended.content, terminal=ended.terminal, fault=ended.fault)
