"""Messages as clients and as providers speak it, for translation."""

import msgspec

from bascule.dialects.anthropic_messages.parse_request import parse_request
from bascule.dialects.anthropic_messages.parse_response import parse_response
from bascule.dialects.anthropic_messages.read_events import MessageEvents
from bascule.dialects.anthropic_messages.render_request import render_request
from bascule.dialects.anthropic_messages.render_response import render_response
from bascule.dialects.anthropic_messages.usage import read_usage
from bascule.dialects.anthropic_messages.write_events import MessageWriter
from bascule.dialects.base import Body
from bascule.dialects.fields import NULL
from bascule.dialects.names import ANTHROPIC_NAME_CHARS
from bascule.dialects.out_of_range import decode_answer
from bascule.dialects.remembered import Remembered
from bascule.dialects.translate import ClientSide, EventSink, ProviderSide, Rendering
from bascule.model.response import Response
from bascule.model.usage import Usage


class _UsageOnly(msgspec.Struct):
    usage: msgspec.Raw = NULL


def _usage(raw: bytes) -> Usage:
    return read_usage(decode_answer(bytes(msgspec.json.decode(raw, type=_UsageOnly).usage)))


def _whole(response: Response, rendering: Rendering, usage: Usage, cost: bytes | None) -> bytes:
    wants_thinking = rendering.facts.has_reasoning
    return render_response(response, rendering.model, usage, cost, rendering.names, wants_thinking)


def _sink(rendering: Rendering) -> EventSink:
    return MessageWriter(rendering.model, rendering.names, rendering.facts.has_reasoning)


def _names(tools: list[Body]) -> list[str]:
    names = [tool.get("name") for tool in tools]
    return [name for name in names if isinstance(name, str)]


_NAMES = Remembered(_names)


def _tool_names(body: Body) -> list[str]:
    return _NAMES(body.get("tools") or [])


CLIENT = ClientSide(parse_request=parse_request, tool_names=_tool_names, render_response=_whole, sink=_sink)
PROVIDER = ProviderSide(
    render_request=render_request,
    name_chars=ANTHROPIC_NAME_CHARS,
    read_usage=_usage,
    parse_response=parse_response,
    source=MessageEvents,
)
