"""Checking what a client gets with the official SDKs' own models."""

import json
from typing import Any

from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, RawMessageStreamEvent
from anthropic.types.message_create_params import MessageCreateParams
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types import CreateEmbeddingResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import CompletionCreateParams
from pydantic import TypeAdapter
from tests.wire.provider_sdk import parse_cohere_embed_request, parse_cohere_request, parse_converse_request

from bascule.dialects.sse import SseParser

_EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)


def parse_reply(client: str, body: bytes) -> Any:
    """A whole answer as the SDK's value. Raises pydantic.ValidationError."""
    models: dict[str, Any] = {
        "openai_chat": ChatCompletion,
        "openai_embeddings": CreateEmbeddingResponse,
        "anthropic_messages": Message,
    }
    return models[client].model_validate_json(body)


def stream_events(body: bytes) -> list[tuple[str, Any]]:
    """(event name, decoded data) of a stream, without comments and `[DONE]`."""
    events = SseParser().feed(body)
    return [(e.event.decode(), json.loads(e.data)) for e in events if e.data is not None and e.data != b"[DONE]"]


def parse_stream(client: str, body: bytes) -> Any:
    """A whole stream as the SDK accumulates it: a completion or a message. Raises pydantic.ValidationError."""
    if client == "openai_chat":
        state: Any = ChatCompletionStreamState()
        for _, data in stream_events(body):
            chunk = ChatCompletionChunk.model_validate(data)
            state.handle_chunk(chunk)
        return state.current_completion_snapshot
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    for name, data in stream_events(body):
        assert name == data["type"]
        if data["type"] == "ping":
            continue
        event = _EVENT.validate_python(data)
        snapshot = accumulate_event(event=event, current_snapshot=snapshot, json_bufs=buffers)
    return snapshot


_REQUESTS: dict[str, TypeAdapter[Any]] = {
    "openai_chat": TypeAdapter(CompletionCreateParams),
    "anthropic_messages": TypeAdapter(MessageCreateParams),
}
_BEYOND_THE_SDK = frozenset({"temperature", "top_p", "top_k", "reasoning_content", "cache_control", "extra_content"})
"""Fields that providers take although the SDK's request types do not (any longer) name them all."""


def parse_request(provider: str, body: dict[str, Any]) -> None:
    """Raises pydantic.ValidationError, or AssertionError where the SDK's types know no such field."""
    if provider == "cohere":
        return parse_cohere_request(body)
    if provider == "cohere_embed":
        return parse_cohere_embed_request(body)
    if provider == "bedrock_converse":
        return parse_converse_request(body)
    known = _known(_drained(_REQUESTS[provider].validate_python(body)))
    assert known == _known(body)
    return None


def _drained(value: Any) -> Any:
    """Pydantic validates iterables lazily: walk through all of them."""
    if isinstance(value, dict):
        return {key: _drained(item) for key, item in value.items()}
    if isinstance(value, str | int | float | None):
        return value
    return [_drained(item) for item in value]


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _known(item) for key, item in value.items() if key not in _BEYOND_THE_SDK}
    return [_known(item) for item in value] if isinstance(value, list) else value
