"""Checking what providers alone speak, requests and our fixtures of their answers, with their official SDKs' models."""

import base64
import inspect
import json
from functools import cache
from typing import Any

import botocore.session
from botocore.eventstream import EventStreamBuffer
from botocore.model import OperationModel, Shape
from botocore.parsers import EventStreamJSONParser, create_parser
from botocore.validate import ParamValidator
from cohere import V2ChatResponse, V2ChatStreamResponse
from cohere.types import ChatMessageV2, EmbedByTypeResponse, ResponseFormatV2, Thinking, ToolV2
from cohere.v2.client import V2Client
from pydantic import BaseModel, TypeAdapter

from bascule.dialects.sse import SseParser

_COHERE: dict[str, TypeAdapter[Any]] = {
    "messages": TypeAdapter(list[ChatMessageV2]),
    "tools": TypeAdapter(list[ToolV2]),
    "response_format": TypeAdapter(ResponseFormatV2),
    "thinking": TypeAdapter(Thinking),
}
_COHERE_FIELDS = inspect.signature(V2Client.chat).parameters.keys() - {"self", "request_options"} | {"stream"}
_COHERE_EVENT: TypeAdapter[Any] = TypeAdapter(V2ChatStreamResponse)


@cache
def _operation(name: str) -> OperationModel:
    return botocore.session.Session().get_service_model("bedrock-runtime").operation_model(name)


def parse_cohere_request(body: dict[str, Any]) -> None:
    """Raises pydantic.ValidationError, or AssertionError where the SDK knows no such field."""
    assert body.keys() <= _COHERE_FIELDS
    for name, adapter in _COHERE.items():
        if name in body:
            assert_known(adapter.validate_python(body[name]))


def parse_cohere_embed_request(body: dict[str, Any]) -> None:
    """AssertionError where the SDK's client has no such argument."""
    assert body.keys() <= inspect.signature(V2Client.embed).parameters.keys()


def assert_known(value: Any) -> None:
    """No field that the model has no name for: Cohere's models allow them silently."""
    if isinstance(value, BaseModel):
        assert not value.model_extra, f"{type(value).__name__}: {value.model_extra}"
        for name in type(value).model_fields:
            assert_known(getattr(value, name))
    elif isinstance(value, list):
        for item in value:
            assert_known(item)


def parse_converse_request(body: dict[str, Any]) -> None:
    """AssertionError with botocore's report where its service model does not take the body."""
    shape = _operation("Converse").input_shape
    assert shape is not None
    report = ParamValidator().validate({"modelId": "m", **_decoded(body, shape)}, shape)
    assert not report.has_errors(), report.generate_report()


def _decoded(value: Any, shape: Shape) -> Any:
    """A JSON body with bytes where the SDK's users write bytes."""
    if shape.type_name == "blob":
        return base64.b64decode(value, validate=True)
    if shape.type_name == "structure" and isinstance(value, dict) and not shape.is_document_type:
        members = shape.members
        return {key: _decoded(item, members[key]) if key in members else item for key, item in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [_decoded(item, shape.member) for item in value]
    return value


def parse_upstream_reply(provider: str, raw: bytes) -> None:
    """A whole answer of a fixture, read by the provider's SDK."""
    if provider == "cohere":
        assert_known(V2ChatResponse.model_validate_json(raw))
    elif provider == "cohere_embed":
        EmbedByTypeResponse.model_validate_json(raw)
    elif provider == "bedrock_converse":
        shape = _operation("Converse").output_shape
        parsed = create_parser("rest-json").parse({"status_code": 200, "headers": {}, "body": raw}, shape)
        told = json.loads(raw)
        blocks = parsed["output"]["message"]["content"]
        assert [list(block) for block in blocks] == [list(b) for b in told["output"]["message"]["content"]]
        assert parsed["stopReason"] == told["stopReason"]


def parse_upstream_stream(provider: str, raw: bytes) -> None:
    """A stream of a fixture, read by the provider's SDK."""
    if provider == "cohere":
        for event in SseParser().feed(raw):
            if event.data is not None:
                parsed = _COHERE_EVENT.validate_json(event.data)
                if parsed.type != "message-start":  # whose empty fields the API sends and the SDK does not name
                    assert_known(parsed)
    elif provider == "bedrock_converse":
        for kind, parsed in converse_events(raw):
            assert kind in parsed or "Error" in parsed, kind


def converse_events(raw: bytes) -> list[tuple[str, dict[str, Any]]]:
    """(type, botocore's reading) of each message. Raises botocore's own errors for what is damaged."""
    shape = _operation("ConverseStream").output_shape
    assert shape is not None
    buffer = EventStreamBuffer()
    buffer.add_data(raw)
    found = []
    for message in buffer:
        response = message.to_response_dict()
        kind = response["headers"].get(":event-type") or response["headers"].get(":exception-type")
        found.append((kind, EventStreamJSONParser().parse(response, shape.members["stream"])))
    return found
