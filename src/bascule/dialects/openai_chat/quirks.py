"""What single OpenAI-type providers do not take, and what is sent to them instead.

`no_developer_role`       `developer` messages go as `system`
`system_first_only`       a `system` message after the first other one goes as user text in a `<system>` element
`no_parallel_tool_calls`  the field `parallel_tool_calls` is not sent
`no_json_schema`          a JSON schema goes as `json_object` with the schema in a system message
`strip_unknown`           only fields of the public reference are sent
"""

from collections.abc import Collection
from typing import Any

import msgspec

from bascule.dialects.base import Body

SYSTEM_ROLES = ("system", "developer")
_MESSAGE_QUIRKS = frozenset({"no_developer_role", "system_first_only", "no_json_schema"})
_BODY_QUIRKS = _MESSAGE_QUIRKS | {"no_parallel_tool_calls", "strip_unknown"}
_KNOWN_FIELDS = frozenset(
    {"model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p"}
    | {"n", "stop", "seed", "tools", "tool_choice", "parallel_tool_calls", "response_format", "logprobs"}
    | {"top_logprobs", "logit_bias", "frequency_penalty", "presence_penalty", "user", "reasoning_effort", "metadata"}
    | {"service_tier", "store", "modalities", "audio", "prediction", "functions", "function_call", "verbosity"}
    | {"web_search_options", "prompt_cache_key", "safety_identifier", "top_k"}
)


def adapt_body(body: Body, quirks: frozenset[str]) -> Body:
    """A Chat Completions body as a provider with these quirks takes it; values that stay are the same objects."""
    if quirks.isdisjoint(_BODY_QUIRKS):
        return body
    adapted = dict(body)
    if not quirks.isdisjoint(_MESSAGE_QUIRKS):
        adapted["messages"] = adapt_messages(body["messages"], quirks)
        if "no_json_schema" in quirks and (schema := _schema_text(body)) is not None:
            adapted["messages"] = [{"role": "system", "content": schema}, *adapted["messages"]]
            adapted["response_format"] = {"type": "json_object"}
    if "no_parallel_tool_calls" in quirks:
        adapted.pop("parallel_tool_calls", None)
    if "strip_unknown" in quirks:
        return {key: value for key, value in adapted.items() if key in _KNOWN_FIELDS}
    return adapted


def quirk_edits(body: Body, quirks: frozenset[str], put: dict[str, bytes], drop: list[str]) -> None:
    """Add to `put` and `drop` what these quirks change in a client's body."""
    adapted = adapt_body(body, quirks)
    if adapted is body:
        return
    for key, value in body.items():
        if key not in adapted:
            drop.append(key)
        elif adapted[key] is not value:
            put[key] = msgspec.json.encode(adapted[key])


def adapt_messages(messages: list[Any], quirks: Collection[str]) -> list[Any]:
    """Messages with roles that the target knows, positions kept; the same list where nothing changes."""
    adapted: list[Any] = []
    leading = True
    changed = False
    for message in messages:
        role = message.get("role")
        if role not in SYSTEM_ROLES:
            leading = False
        elif not leading and "system_first_only" in quirks:
            text = _as_user_text(message.get("content"))
            changed = True
            if adapted[-1].get("role") == "user" and isinstance(before := adapted[-1].get("content"), str):
                # Such targets mostly want turns to alternate as well.
                adapted[-1] = {**adapted[-1], "content": f"{before}\n\n{text}"}
                continue
            message = {"role": "user", "content": text}
        elif role == "developer" and "no_developer_role" in quirks:
            message = {**message, "role": "system"}
            changed = True
        adapted.append(message)
    return adapted if changed else messages


def _as_user_text(content: Any) -> str:
    parts = content if isinstance(content, list) else [{"text": content}]
    texts = [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
    return system_element("\n".join(texts))


def system_element(text: str) -> str:
    """A system message as user text, where the target takes none at this position."""
    return f"<system>\n{text}\n</system>"


def _schema_text(body: Body) -> str | None:
    response_format = body.get("response_format")
    if not isinstance(response_format, dict) or response_format.get("type") != "json_schema":
        return None
    wrapped = response_format.get("json_schema")
    schema = wrapped.get("schema") if isinstance(wrapped, dict) else None
    if schema is None:
        return "Answer with one JSON object and nothing else."
    text = msgspec.json.encode(schema).decode()
    return f"Answer with one JSON object and nothing else. It must be valid under this JSON Schema: {text}"
