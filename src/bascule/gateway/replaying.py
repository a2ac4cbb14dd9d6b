"""An answer that was kept as its provider gave it, through the codec that a live one would take."""

from msgspec import Struct

from bascule.dialects.base import ReplyContext
from bascule.dialects.json_array import JsonArrayStream
from bascule.dialects.openai_responses.history import last_response
from bascule.dialects.registry import codec
from bascule.gateway.admission import Admitted
from bascule.gateway.exchange import Exchange
from bascule.gateway.respond import EVENT_STREAM, JSON, UNBUFFERED
from bascule.gateway.surfaces import SURFACES, provider_dialect
from bascule.model.plan import Candidate
from bascule.ports import Header


class Rendered(Struct, frozen=True, kw_only=True):
    """An answer in its client's dialect."""

    body: bytes
    streamed: bool
    response: bytes | None
    """What requests may refer to later: the body, or the last of a stream's events where that holds the answer."""


def rendered(
    request: Admitted,
    candidate: Candidate,
    raw: bytes,
    *,
    spoken: str | None = None,
    streamed: bool,
    cost_nanousd: int | None,
    splice_cost: bool,
    context: ReplyContext,
) -> Rendered:
    """`raw` is what `candidate` answered to `request`, whole or as a stream from its first event to its last, in the
    dialect `spoken`; None: in the one that it is asked this in."""
    spoken = spoken or provider_dialect(request.surface, candidate.endpoint) or candidate.endpoint.dialect
    pair = codec(SURFACES[request.surface].dialect, spoken)
    if not streamed:
        shown = cost_nanousd if splice_cost else None
        body = pair.reply(raw, request.facts, candidate.model, shown, context)
        return Rendered(body=body, streamed=False, response=body)
    stream = pair.stream(request.facts, candidate.model, splice_cost, context)
    if request.array:
        stream = JsonArrayStream(stream)
    fed, ended = stream.feed(raw), stream.end()
    last = stream.close(cost_nanousd)
    response = last_response(last) if context.keeps else None
    return Rendered(body=fed.forward + ended.forward + last, streamed=True, response=response)


def content_type(request: Admitted, *, streamed: bool) -> Header:
    return EVENT_STREAM if streamed and not request.array else JSON


async def give(exchange: Exchange, answer: Rendered, headers: list[Header]) -> None:
    """To the client, as what it asked for: a stream or a whole body."""
    if not answer.streamed:
        await exchange.respond(200, headers, answer.body)
        return
    await exchange.start(200, [*headers, UNBUFFERED])
    await exchange.end(answer.body)
