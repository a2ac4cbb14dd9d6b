"""Responses as clients and as providers speak it, for translation."""

from bascule.dialects.base import Body
from bascule.dialects.names import OPENAI_NAME_CHARS
from bascule.dialects.openai_responses.names import known_tools
from bascule.dialects.openai_responses.parse_request import parse_request
from bascule.dialects.openai_responses.parse_response import parse_response
from bascule.dialects.openai_responses.read_events import ResponseEvents
from bascule.dialects.openai_responses.render_request import render_request
from bascule.dialects.openai_responses.render_response import render_response
from bascule.dialects.openai_responses.response import reply_usage
from bascule.dialects.openai_responses.write_events import ResponseWriter
from bascule.dialects.translate import ClientSide, ProviderSide


def _tool_names(body: Body) -> list[str]:
    return list(known_tools(body))


CLIENT = ClientSide(
    parse_request=parse_request, tool_names=_tool_names, render_response=render_response, sink=ResponseWriter
)
PROVIDER = ProviderSide(
    render_request=render_request,
    name_chars=OPENAI_NAME_CHARS,
    read_usage=reply_usage,
    parse_response=parse_response,
    source=ResponseEvents,
)
