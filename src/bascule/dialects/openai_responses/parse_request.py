"""A Responses request to canonical form."""

from typing import Any

from bascule.dialects.fields import (
    count,
    flag,
    mapping,
    number,
    required_text,
    sequence_of_text,
    text,
    untranslatable,
    whole,
    word,
    wrong,
)
from bascule.dialects.openai_responses.parse_items import parse_items
from bascule.dialects.openai_responses.parse_tools import parse_tools
from bascule.model.errors import MalformedRequest, Untranslatable
from bascule.model.request import Reasoning, Request, ResponseFormat

_EFFORTS = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max"})
_LOGPROBS = "message.output_text.logprobs"
_STORED = {
    "conversation": "a conversation that OpenAI keeps",
    "prompt": "a prompt that OpenAI keeps",
}


def parse_request(body: dict[str, Any]) -> Request:
    """Raises MalformedRequest naming the field, or Untranslatable.

    Unknown fields are left out, and so are hints, which change how the same answer is made or kept: `store`, `include`
    of what only OpenAI has, `truncation`, `text.verbosity`, `max_tool_calls` (of hosted tools), `context_management`.
    """
    _refuse_stored(body)
    instructions, messages = parse_items(body)
    tools, choice = parse_tools(body)
    logprobs = _LOGPROBS in sequence_of_text(body, "include") or bool(whole(body, "top_logprobs"))
    streamed = flag(body, "stream") is True
    if logprobs and streamed:
        untranslatable("include", "a stream with log probabilities")
    return Request(
        model=required_text(body, "model"),
        instructions=instructions,
        messages=messages,
        tools=tools,
        tool_choice=choice,
        max_tokens=count(body, "max_output_tokens"),
        temperature=number(body, "temperature"),
        top_p=number(body, "top_p"),
        logprobs=logprobs,
        top_logprobs=whole(body, "top_logprobs") or None,
        response_format=_response_format(body),
        reasoning=_reasoning(body),
        stream=streamed,
        user=text(body, "user") or text(body, "safety_identifier"),
        metadata=mapping(body, "metadata") or {},
        service_tier=text(body, "service_tier"),
        cache_key=text(body, "prompt_cache_key"),
    )


def _refuse_stored(body: dict[str, Any]) -> None:
    if text(body, "previous_response_id") is not None:
        raise Untranslatable(
            "`previous_response_id`: this model's provider keeps no answers, and none of this id is kept here. Send "
            "the whole conversation in `input` (and `store: false`), choose a model of OpenAI's, or switch "
            "`responses.store` on in the gateway's configuration",
            "previous_response_id",
        )
    for name, what in _STORED.items():
        if body.get(name) is not None:
            untranslatable(name, what)
    if flag(body, "background"):
        untranslatable("background", "an answer that is fetched later")


def _response_format(body: dict[str, Any]) -> ResponseFormat | None:
    config = mapping(body, "text")
    given = None if config is None else mapping(config, "format", "text")
    if given is None:
        return None
    where = "text.format"
    kind = text(given, "type", where)
    if kind == "json_object":
        return ResponseFormat(kind="json_object")
    if kind != "json_schema":
        if kind != "text":
            wrong(where, "type", "`text`, `json_object` or `json_schema`")
        return None
    schema = mapping(given, "schema", where)
    if schema is None:
        raise MalformedRequest("`text.format.schema` is missing", "text.format")
    return ResponseFormat(
        kind="json_schema",
        schema=schema,
        name=text(given, "name", where),
        description=text(given, "description", where),
        strict=flag(given, "strict", where),
    )


def _reasoning(body: dict[str, Any]) -> Reasoning | None:
    """Who asks for a summary of the reasoning wants some, as much as the provider thinks fit."""
    given = mapping(body, "reasoning")
    if given is None:
        return None
    effort: Any = word(given, "effort", _EFFORTS, "reasoning")
    if effort is not None:
        return Reasoning(enabled=effort != "none", effort=effort)
    summary = text(given, "summary", "reasoning") or text(given, "generate_summary", "reasoning")
    return None if summary is None else Reasoning(enabled=True)
