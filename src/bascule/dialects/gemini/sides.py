"""Gemini's own API as clients and as providers speak it, for translation."""

from typing import Any

from bascule.dialects.base import Body
from bascule.dialects.gemini.parse_request import parse_request
from bascule.dialects.gemini.parse_response import parse_response
from bascule.dialects.gemini.read_events import ResponseEvents
from bascule.dialects.gemini.render_request import render_request
from bascule.dialects.gemini.render_response import render_response
from bascule.dialects.gemini.spelling import camel
from bascule.dialects.gemini.usage import usage_of_reply
from bascule.dialects.gemini.write_events import ResponseWriter
from bascule.dialects.names import GEMINI_NAME_CHARS
from bascule.dialects.translate import ClientSide, EventSink, ProviderSide, Rendering
from bascule.model.response import Response
from bascule.model.usage import Usage


def wants_thoughts(body: Body | None) -> bool:
    """Whether the client asked to see thoughts: `generationConfig.thinkingConfig.includeThoughts`."""
    config: Any = camel(body or {}).get("generationConfig")
    thinking: Any = camel(config).get("thinkingConfig") if type(config) is dict else None
    return type(thinking) is dict and camel(thinking).get("includeThoughts") is True


def _whole(response: Response, rendering: Rendering, usage: Usage, cost: bytes | None) -> bytes:
    wants_thinking = wants_thoughts(rendering.body)
    return render_response(response, rendering.model, usage, cost, rendering.names, wants_thinking)


def _sink(rendering: Rendering) -> EventSink:
    return ResponseWriter(rendering.model, rendering.names, wants_thoughts(rendering.body))


def _tool_names(body: Body) -> list[str]:
    names: list[str] = []
    for given in camel(body).get("tools") or ():
        functions = camel(given).get("functionDeclarations") or ()
        names += [name for function in functions if isinstance(name := function.get("name"), str)]
    return names


CLIENT = ClientSide(parse_request=parse_request, tool_names=_tool_names, render_response=_whole, sink=_sink)
PROVIDER = ProviderSide(
    render_request=render_request,
    name_chars=GEMINI_NAME_CHARS,
    read_usage=usage_of_reply,
    parse_response=parse_response,
    source=ResponseEvents,
)
