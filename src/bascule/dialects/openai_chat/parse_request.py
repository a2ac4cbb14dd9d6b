"""A Chat Completions request to canonical form."""

from typing import Any

from bascule.dialects.fields import (
    count,
    flag,
    mapping,
    number,
    numbers,
    objects,
    required_text,
    sequence_of_text,
    text,
    untranslatable,
    whole,
    word,
    wrong,
)
from bascule.dialects.openai_chat.parse_message import parse_message, parse_tool_result
from bascule.dialects.openai_chat.parse_tools import only, parse_tool_choice, parse_tools
from bascule.dialects.openai_chat.quirks import SYSTEM_ROLES
from bascule.model.errors import MalformedRequest
from bascule.model.request import Carried, Message, Reasoning, Request, ResponseFormat, Text, ToolResult

_EFFORTS = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max"})
_FEW_FIELDS = frozenset(
    {"model", "messages", "max_tokens", "max_completion_tokens", "temperature", "stream", "stream_options"}
)
"""`stream_options` are for the answer's writer."""
_CHOSEN_FORMATS = "`text`, `json_object` or `json_schema`"


def parse_request(body: dict[str, Any]) -> Request:
    """Raises MalformedRequest naming the field, or Untranslatable.

    Unknown fields are left out, and so are hints: `prediction` (speed), `verbosity`, `store`. What the target does
    with sampling fields is its renderer's.
    """
    instructions, messages = _conversation(objects(body, "messages"))
    if _FEW_FIELDS.issuperset(body):
        # Most requests say no more than this. One look instead of twenty-five.
        return Request(
            model=required_text(body, "model"),
            instructions=instructions,
            messages=messages,
            max_tokens=_max_tokens(body),
            temperature=number(body, "temperature"),
            stream=flag(body, "stream") is True,
        )
    if any(kind != "text" for kind in sequence_of_text(body, "modalities")):
        untranslatable("modalities", "an answer that is more than text")
    for name in ("audio", "web_search_options"):
        if body.get(name) is not None:
            untranslatable(name, "what this asks of the provider")
    choice, allowed = parse_tool_choice(body)
    return Request(
        model=required_text(body, "model"),
        instructions=instructions,
        messages=messages,
        tools=only(parse_tools(body), allowed),
        tool_choice=choice,
        max_tokens=_max_tokens(body),
        n=count(body, "n") or 1,
        temperature=number(body, "temperature"),
        top_p=number(body, "top_p"),
        top_k=whole(body, "top_k"),
        frequency_penalty=number(body, "frequency_penalty"),
        presence_penalty=number(body, "presence_penalty"),
        logit_bias=numbers(body, "logit_bias"),
        logprobs=flag(body, "logprobs") is True,
        top_logprobs=whole(body, "top_logprobs"),
        seed=whole(body, "seed"),
        stop=_stop(body),
        response_format=_response_format(body),
        reasoning=_reasoning(body),
        stream=flag(body, "stream") is True,
        user=text(body, "user"),
        metadata=mapping(body, "metadata") or {},
        service_tier=text(body, "service_tier"),
        cache_key=text(body, "prompt_cache_key"),
    )


def _max_tokens(body: dict[str, Any]) -> int | None:
    newer, older = count(body, "max_completion_tokens"), count(body, "max_tokens")
    return older if newer is None else newer


def _conversation(given: list[dict[str, Any]]) -> tuple[tuple[Text, ...], tuple[Message, ...]]:
    instructions: list[Text] = []
    messages: list[Message] = []
    results: list[ToolResult] = []
    for index, message in enumerate(given):
        where = f"messages[{index}]"
        role: Any = required_text(message, "role", where)
        if role in ("tool", "function"):
            results.append(parse_tool_result(message, where))
            continue
        if results:
            messages.append(Message(role="user", content=tuple(results)))
            results = []
        content = parse_message(message, where)
        if role in SYSTEM_ROLES:
            texts = [block for block in content if isinstance(block, Text)]
            if len(texts) < len(content):
                untranslatable(f"{where}.content", "a system prompt with more than text in it")
            if not messages:
                instructions += texts
                continue
            carried: Carried = {"openai_chat": {"role": role}} if role == "developer" else {}
            messages.append(Message(role="system", content=content, carried=carried))
        elif role == "user" or role == "assistant":
            messages.append(Message(role=role, content=content, name=text(message, "name", where)))
        else:
            raise MalformedRequest(f"`{where}.role` is {role[:40]!r}, which is no role", f"{where}.role")
    if results:
        messages.append(Message(role="user", content=tuple(results)))
    return tuple(instructions), tuple(messages)


def _stop(body: dict[str, Any]) -> tuple[str, ...]:
    stop = body.get("stop")
    if type(stop) is str:
        return (stop,)
    if stop is not None and type(stop) is not list:
        wrong("", "stop", "text or a list of texts")
    return sequence_of_text(body, "stop")


def _response_format(body: dict[str, Any]) -> ResponseFormat | None:
    given = mapping(body, "response_format")
    if given is None:
        return None
    kind = text(given, "type", "response_format")
    if kind == "json_object":
        return ResponseFormat(kind="json_object")
    if kind != "json_schema":
        if kind != "text":
            wrong("response_format", "type", _CHOSEN_FORMATS)
        return None
    where = "response_format.json_schema"
    wrapped = mapping(given, "json_schema", "response_format")
    schema = None if wrapped is None else mapping(wrapped, "schema", where)
    if wrapped is None or schema is None:
        raise MalformedRequest("`response_format.json_schema.schema` is missing", "response_format")
    return ResponseFormat(
        kind="json_schema",
        schema=schema,
        name=text(wrapped, "name", where),
        description=text(wrapped, "description", where),
        strict=flag(wrapped, "strict", where),
    )


def _reasoning(body: dict[str, Any]) -> Reasoning | None:
    wanted = mapping(body, "reasoning") or {}
    effort: Any = word(body, "reasoning_effort", _EFFORTS) or word(wanted, "effort", _EFFORTS, "reasoning")
    budget = count(wanted, "max_tokens", "reasoning")
    if effort is not None:
        return Reasoning(enabled=effort != "none", effort=effort)
    return None if budget is None else Reasoning(enabled=True, budget_tokens=budget)
