"""Codecs between different dialects: read into the canonical form, write out of it."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from bascule.dialects.base import NO_CONTEXT, Body, ReplyContext, ReplyFacts, StreamCodec, StreamStep, Target
from bascule.dialects.fields import is_json
from bascule.dialects.names import original_names, tool_name
from bascule.dialects.remembered import Remembered
from bascule.dialects.respelled import as_written
from bascule.dialects.splice import usd_number
from bascule.dialects.sse import SseEvent, SseParser
from bascule.dialects.streamed import again, too_long_fault
from bascule.model.errors import MalformedRequest, Refusal, Untranslatable
from bascule.model.events import Event, Started
from bascule.model.facts import Facts
from bascule.model.outcome import Fault
from bascule.model.request import Request
from bascule.model.response import Response
from bascule.model.usage import Usage


class EventSource(Protocol):
    """A provider's stream as canonical events."""

    @property
    def terminal(self) -> bool: ...

    def read(self, data: bytes) -> list[Event] | Fault: ...

    def read_late(self, data: bytes) -> None: ...

    def ended(self) -> Fault | None: ...

    def usage(self) -> Usage: ...

    def facts(self) -> ReplyFacts: ...


class EventSink(Protocol):
    """Canonical events as a client's stream."""

    content: bool

    def write(self, event: Event) -> bytes: ...

    def close(self, usage: Usage, cost: bytes | None) -> bytes: ...

    def fail(self, refusal: Refusal) -> bytes: ...


class Framing(Protocol):
    """What cuts a provider's stream into events: `sse.SseParser`, or another of its shape."""

    too_long: bool

    def feed(self, data: bytes) -> list[SseEvent]: ...

    def rest(self) -> SseEvent | None: ...


class Rendering(Struct, frozen=True, kw_only=True):
    """What a client's writer must know of the request that it answers."""

    facts: Facts
    model: str
    names: dict[str, str]
    """Fitted tool names back to the client's own."""
    created_s: int
    body: Body | None = None
    """The client's own body, where the context had it."""
    keeps: bool = False
    """The answer will be kept for requests that refer to it."""


class ClientSide(Struct, frozen=True, kw_only=True):
    """A dialect as clients speak it: requests are read, answers are written."""

    parse_request: Callable[[Body], Request]
    tool_names: Callable[[Body], list[str]]
    """Of the tools in a body, as canonical tools are called."""
    render_response: Callable[[Response, Rendering, Usage, bytes | None], bytes]
    """The last is the cost as a JSON number of US dollars, None where it is unknown or not to be told."""
    sink: Callable[[Rendering], EventSink]


class ProviderSide(Struct, frozen=True, kw_only=True):
    """A dialect as providers speak it: requests are written, answers are read."""

    render_request: Callable[[Request, Target], bytes | Refusal]
    name_chars: int
    """The longest tool name that it takes."""
    read_usage: Callable[[bytes], Usage]
    """The usage of a whole answer."""
    parse_response: Callable[[bytes], Response]
    source: Callable[[bool], EventSource]
    """Made with whether the provider ends its streams without the dialect's terminal event."""
    framing: Callable[[], Framing] = SseParser
    fit_name: Callable[[str], str] | None = None
    """How tool names are fitted where their length is not all that matters."""


class Translator:
    """A codec between two dialects. All that it keeps is what it has made of long lists of tools before."""

    def __init__(self, client: ClientSide, provider: ProviderSide) -> None:
        self._client = client
        self._provider = provider
        self._originals = Remembered(self._original_names)

    def request(self, body: Body, raw: bytes, facts: Facts, target: Target) -> bytes | Refusal:
        if facts.inference_geo is not None and facts.inference_geo != "global":
            # Where data may go is not dropped because the target has no word for it.
            return Refusal(
                kind="unsupported",
                message="this model's provider cannot be told where to run it; leave `inference_geo` out, or choose a "
                "model of Anthropic's own",
                param="inference_geo",
            )
        try:
            return self._provider.render_request(self._client.parse_request(as_written(body, raw)), target)
        except MalformedRequest as problem:
            return Refusal(kind="malformed", message=str(problem), param=problem.param)
        except Untranslatable as problem:
            return Refusal(kind="unsupported", message=str(problem), param=problem.param)

    def reply(
        self, raw: bytes, facts: Facts, model: str, cost_nanousd: int | None, context: ReplyContext = NO_CONTEXT
    ) -> bytes:
        provider = self._provider
        cost = None if cost_nanousd is None else usd_number(cost_nanousd)
        rendering = self._rendering(facts, model, context)
        usage = provider.read_usage(raw) if context.usage is None else context.usage
        response = provider.parse_response(raw)
        response = replace(response, id=answer_id(response.id, context.request_id, keeps=context.keeps))
        return self._client.render_response(response, rendering, usage, cost)

    def stream(self, facts: Facts, model: str, splice_cost: bool, context: ReplyContext = NO_CONTEXT) -> StreamCodec:
        no_done = context.target is not None and "no_done" in context.target.quirks
        sink = self._client.sink(self._rendering(facts, model, context))
        provider = self._provider
        return TranslatedStream(
            provider.framing(),
            provider.source(no_done),
            sink,
            splice_cost,
            request_id=context.request_id,
            keeps=context.keeps,
        )

    def forward_headers(self, headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        return []

    def _rendering(self, facts: Facts, model: str, context: ReplyContext) -> Rendering:
        names: dict[str, str] = {}
        if context.body is not None and facts.tools:
            names = self._originals(self._client.tool_names(context.body))
        return Rendering(
            facts=facts, model=model, names=names, created_s=context.now_s, body=context.body, keeps=context.keeps
        )

    def _original_names(self, names: list[str]) -> dict[str, str]:
        fit = self._provider.fit_name or partial(tool_name, limit=self._provider.name_chars)
        return original_names(names, fit)


def answer_id(given: str | None, request_id: str | None, *, keeps: bool) -> str | None:
    """What a client knows an answer by: its provider's id where that one has to tell it from no other."""
    return request_id if given is None or (keeps and request_id is not None) else given


class TranslatedStream:
    """`StreamCodec` from a provider's dialect to another one's client."""

    __slots__ = ("_ended", "_keeps", "_parser", "_request_id", "_sink", "_source", "_splice_cost")

    def __init__(
        self,
        framing: Framing,
        source: EventSource,
        sink: EventSink,
        splice_cost: bool,
        *,
        request_id: str | None,
        keeps: bool,
    ) -> None:
        """`request_id` and `keeps`: see `answer_id`."""
        self._parser = framing
        self._source = source
        self._sink = sink
        self._splice_cost = splice_cost
        self._request_id = request_id
        self._keeps = keeps
        self._ended: StreamStep | None = None

    def feed(self, data: bytes) -> StreamStep:
        events = self._parser.feed(data)
        if self._ended is not None:
            if self._ended.terminal:
                for event in events:
                    self._source.read_late(event.data or b"")
            return again(self._ended)
        out: list[bytes] = []
        fault: Fault | None = None
        for event in events:
            if event.data is None:
                continue
            if self._source.terminal:
                self._source.read_late(event.data)
            elif (fault := self._take(event.data, out)) is not None:
                break
        if fault is None and self._parser.too_long and not self._source.terminal:
            fault = too_long_fault()
        return self._step(out, self._source.terminal, fault)

    def end(self) -> StreamStep:
        if self._ended is not None:
            return again(self._ended)
        out: list[bytes] = []
        fault: Fault | None = None
        rest = self._parser.rest()
        if rest is not None and rest.data is not None and (rest.data == b"[DONE]" or is_json(rest.data)):
            fault = self._take(rest.data, out)
        if fault is None and not self._source.terminal:
            fault = self._source.ended()
        return self._step(out, fault is None, fault)

    def close(self, cost_nanousd: int | None) -> bytes:
        cost = usd_number(cost_nanousd) if self._splice_cost and cost_nanousd is not None else None
        return self._sink.close(self._source.usage(), cost)

    def fail(self, refusal: Refusal) -> bytes:
        return self._sink.fail(refusal)

    @property
    def facts(self) -> ReplyFacts:
        return self._source.facts()

    def _take(self, data: bytes, out: list[bytes]) -> Fault | None:
        events = self._source.read(data)
        if isinstance(events, Fault):
            return events
        for event in events:
            if type(event) is Started:
                event = Started(answer_id(event.id, self._request_id, keeps=self._keeps), event.model)
            out.append(self._sink.write(event))
        return None

    def _step(self, out: list[bytes], terminal: bool, fault: Fault | None) -> StreamStep:
        step = StreamStep(
            forward=b"".join(out), content=self._sink.content, terminal=terminal and fault is None, fault=fault
        )
        if step.terminal or fault is not None:
            self._ended = step
        return step
