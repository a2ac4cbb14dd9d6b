"""Checking what a client gets with the official SDKs' own models."""

import json
from typing import Any

from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, RawMessageStreamEvent
from anthropic.types.message_create_params import MessageCreateParams
from google.genai import models as genai_models
from google.genai import types as genai
from openai import omit
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types import CreateEmbeddingResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import CompletionCreateParams
from openai.types.responses import Response, ResponseStreamEvent
from openai.types.responses.response_create_params import ResponseCreateParams
from pydantic import BaseModel, ConfigDict, TypeAdapter
from tests.wire.provider_sdk import parse_cohere_embed_request, parse_cohere_request, parse_converse_request

from bascule.dialects.sse import SseParser

_EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
_RESPONSE_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


def parse_reply(client: str, body: bytes) -> Any:
    """A whole answer as the SDK's value. Raises pydantic.ValidationError."""
    if client == "gemini":
        return _gemini(json.loads(body))
    models: dict[str, Any] = {
        "openai_chat": ChatCompletion,
        "openai_embeddings": CreateEmbeddingResponse,
        "anthropic_messages": Message,
        "openai_responses": Response,
    }
    return models[client].model_validate_json(body)


def _gemini(body: dict[str, Any]) -> genai.GenerateContentResponse:
    """As `Models.generate_content` reads an answer of the Gemini API. An unknown word of an enum is a warning, which
    is an error in these tests."""
    told = genai_models._GenerateContentResponse_from_mldev(body)
    return genai.GenerateContentResponse._from_response(response=told, kwargs={})


def stream_events(body: bytes) -> list[tuple[str, Any]]:
    """(event name, decoded data) of a stream, without comments and `[DONE]`."""
    events = SseParser().feed(body)
    return [(e.event.decode(), json.loads(e.data)) for e in events if e.data is not None and e.data != b"[DONE]"]


def parse_stream(client: str, body: bytes) -> Any:
    """A whole stream as the SDK accumulates it: a completion or a message; Google's does not, so the responses of all
    events. Raises pydantic.ValidationError."""
    if client == "openai_chat":
        state: Any = ChatCompletionStreamState()
        for _, data in stream_events(body):
            chunk = ChatCompletionChunk.model_validate(data)
            state.handle_chunk(chunk)
        return state.current_completion_snapshot
    if client == "openai_responses":
        return _response(body)
    if client == "gemini":
        return [_gemini(data) for _, data in stream_events(body)]
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    for name, data in stream_events(body):
        assert name == data["type"]
        if data["type"] == "ping":
            continue
        event = _EVENT.validate_python(data)
        snapshot = accumulate_event(event=event, current_snapshot=snapshot, json_bufs=buffers)
    return snapshot


def _response(body: bytes) -> Any:
    """The response of the last event, if what the SDK accumulates of the events before it has the same output."""
    state: Any = ResponseStreamState(input_tools=omit, text_format=omit)
    last: Any = None
    for number, (name, data) in enumerate(stream_events(body)):
        assert name == data["type"]
        assert data["sequence_number"] == number
        if name == "response.novelty":
            continue  # a relay forwards what no SDK knows yet
        last = _RESPONSE_EVENT.validate_python(data)
        state.handle_event(last)
    assert last.type in ("response.completed", "response.incomplete")
    return last.response


_REQUESTS: dict[str, TypeAdapter[Any]] = {
    "openai_chat": TypeAdapter(CompletionCreateParams),
    "anthropic_messages": TypeAdapter(MessageCreateParams),
    "openai_responses": TypeAdapter(ResponseCreateParams),
}
_BEYOND_THE_SDK = frozenset({"temperature", "top_p", "top_k", "reasoning_content", "cache_control", "extra_content"})
"""Fields that providers take although the SDK's request types do not (any longer) name them all."""


class GeminiRequest(BaseModel):
    """A `generateContent` body out of the SDK's types, all of which refuse fields that they do not know."""

    model_config = ConfigDict(extra="forbid")

    contents: list[genai.Content]
    systemInstruction: genai.Content | None = None  # noqa: N815  the wire's own name
    tools: list[genai.Tool] | None = None
    toolConfig: genai.ToolConfig | None = None  # noqa: N815
    generationConfig: genai.GenerationConfig | None = None  # noqa: N815
    safetySettings: list[genai.SafetySetting] | None = None  # noqa: N815


def parse_request(provider: str, body: dict[str, Any]) -> None:
    """Raises pydantic.ValidationError, or AssertionError where the SDK's types know no such field."""
    if provider == "cohere":
        return parse_cohere_request(body)
    if provider == "cohere_embed":
        return parse_cohere_embed_request(body)
    if provider == "bedrock_converse":
        return parse_converse_request(body)
    if provider == "gemini":
        GeminiRequest.model_validate(body)
        return None
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
