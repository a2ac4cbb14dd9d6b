"""Requests of our own, made for one of a client's: the same one asks and pays, by the same policies."""

import orjson
from msgspec import structs

from bascule.dialects.base import Target
from bascule.dialects.registry import client_side, dialect, provider_side
from bascule.gateway.admission import UNREADABLE, Admitted, not_of_the_dialect
from bascule.gateway.surfaces import SURFACES, Surface
from bascule.model.errors import MalformedRequest, Refusal, Untranslatable
from bascule.model.request import Request

JUDGED_IN: Surface = "openai_chat"
"""The dialect in which requests of our own are written that are not for the client; whoever is asked and speaks another
one is translated to."""


def canonical(request: Admitted) -> Request | Refusal:
    """A client's request in canonical form."""
    try:
        return client_side(SURFACES[request.surface].dialect).parse_request(request.body)
    except MalformedRequest as problem:
        return Refusal(kind="malformed", message=str(problem), param=problem.param)
    except Untranslatable as problem:
        return Refusal(kind="unsupported", message=str(problem), param=problem.param)
    except UNREADABLE as problem:
        return not_of_the_dialect(problem)


def asking(parent: Admitted, asked: Request, *, surface: Surface, stream: bool = False) -> Admitted | Refusal:
    """A request of our own for one of a client's: it is told apart by its body alone, and the same one pays.

    `surface` is the client's own where the answer is for the client, else `JUDGED_IN`.
    """
    name = SURFACES[surface].dialect
    target = Target(upstream_model=parent.facts.model, stream_usage="always")
    try:
        raw = provider_side(name).render_request(structs.replace(asked, stream=stream), target)
    except Untranslatable as problem:
        return Refusal(kind="unsupported", message=str(problem), param=problem.param)
    if isinstance(raw, Refusal):
        return raw
    body = orjson.loads(raw)
    body["model"], body["stream"] = parent.facts.model, stream
    raw = orjson.dumps(body)
    facts = dialect(name).read_facts(body, len(raw))
    own = surface == parent.surface
    return structs.replace(
        parent,
        surface=surface,
        work="chat",
        raw=raw,
        body=body,
        client_body=(parent.client_body or parent.body) if own else None,
        facts=structs.replace(
            facts, stream=stream, wants_stream_usage=parent.facts.wants_stream_usage if own else True, openrouter={}
        ),
        array=parent.array and stream,
    )


def helping(parent: Admitted, asked: Request) -> Admitted | Refusal:
    """A request to a judge, a check or a worker. Its own cap on the answer holds, not those of key and route."""
    made = asking(parent, asked, surface=JUDGED_IN)
    return made if isinstance(made, Refusal) else structs.replace(made, helps=True)


def in_background(request: Admitted, *, now_ms: int, now_s: float) -> Admitted:
    """The request as one that begins now and that nobody waits for: its own deadline is no longer one."""
    ask = structs.replace(request.ask, deadline_ms=None)
    return structs.replace(request, ask=ask, started_ms=now_ms, started_s=now_s)
