"""The two translations between Chat Completions and Messages, assembled from their parts."""

import msgspec

from bascule.dialects.anthropic_messages.parse_request import parse_request as parse_messages_request
from bascule.dialects.anthropic_messages.parse_response import parse_response as parse_message
from bascule.dialects.anthropic_messages.read_events import MessageEvents
from bascule.dialects.anthropic_messages.render_request import render_request as render_messages_request
from bascule.dialects.anthropic_messages.render_response import render_response as render_message
from bascule.dialects.anthropic_messages.usage import read_usage as read_message_usage
from bascule.dialects.anthropic_messages.write_events import MessageWriter
from bascule.dialects.base import Body
from bascule.dialects.fields import NULL
from bascule.dialects.names import ANTHROPIC_NAME_CHARS, OPENAI_NAME_CHARS, original_names
from bascule.dialects.openai_chat.parse_request import parse_request as parse_chat_request
from bascule.dialects.openai_chat.parse_response import parse_response as parse_completion
from bascule.dialects.openai_chat.read_events import ChunkEvents
from bascule.dialects.openai_chat.render_request import render_request as render_chat_request
from bascule.dialects.openai_chat.render_response import render_response as render_completion
from bascule.dialects.openai_chat.usage import read_usage as read_chat_usage
from bascule.dialects.openai_chat.write_events import ChunkWriter
from bascule.dialects.translate import EventSink, Rendering, Translation, Translator
from bascule.model.response import Response
from bascule.model.usage import Usage


class _UsageOnly(msgspec.Struct):
    usage: msgspec.Raw = NULL
    service_tier: str | None = None


def _completion_usage(raw: bytes) -> Usage:
    return read_chat_usage(bytes(msgspec.json.decode(raw, type=_UsageOnly).usage))


def _message_usage(raw: bytes) -> Usage:
    return read_message_usage(msgspec.json.decode(msgspec.json.decode(raw, type=_UsageOnly).usage))


def _completion(response: Response, rendering: Rendering, usage: Usage, cost: bytes | None) -> bytes:
    return render_completion(response, rendering.model, usage, cost, rendering.names, rendering.created_s)


def _message(response: Response, rendering: Rendering, usage: Usage, cost: bytes | None) -> bytes:
    wants_thinking = rendering.facts.has_reasoning
    return render_message(response, rendering.model, usage, cost, rendering.names, wants_thinking)


def _chunks(rendering: Rendering) -> EventSink:
    return ChunkWriter(rendering.model, rendering.names, rendering.created_s, rendering.facts.wants_stream_usage)


def _events(rendering: Rendering) -> EventSink:
    return MessageWriter(rendering.model, rendering.names, rendering.facts.has_reasoning)


def _chat_names(body: Body) -> dict[str, str]:
    names = [(tool.get("function") or tool.get("custom") or {}).get("name") for tool in body.get("tools") or ()]
    return original_names([name for name in names if isinstance(name, str)], ANTHROPIC_NAME_CHARS)


def _messages_names(body: Body) -> dict[str, str]:
    names = [tool.get("name") for tool in body.get("tools") or ()]
    return original_names([name for name in names if isinstance(name, str)], OPENAI_NAME_CHARS)


CHAT_TO_MESSAGES = Translator(
    Translation(
        parse_request=parse_chat_request,
        render_request=render_messages_request,
        original_names=_chat_names,
        read_usage=_message_usage,
        parse_response=parse_message,
        render_response=_completion,
        source=MessageEvents,
        sink=_chunks,
    )
)
"""A Chat Completions client at a Messages provider."""

MESSAGES_TO_CHAT = Translator(
    Translation(
        parse_request=parse_messages_request,
        render_request=render_chat_request,
        original_names=_messages_names,
        read_usage=_completion_usage,
        parse_response=parse_completion,
        render_response=_message,
        source=ChunkEvents,
        sink=_events,
    )
)
"""A Messages client at a Chat Completions provider."""
