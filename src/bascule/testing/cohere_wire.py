"""The provider's side of Cohere's v2 chat."""

import re
from collections.abc import Iterator
from typing import Any

import orjson

from bascule.testing.answer import Answer, PlannedChoice, joined
from bascule.testing.script import Script
from bascule.testing.steps import Kind, Step
from bascule.testing.usage_fault import spoil_usage

TEMPLATE_TOKENS = 60
"""Of the prompt's template: counted in `tokens`, not billed."""
_TOOL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MESSAGES = {401: "invalid api token", 404: "model 'm' not found", 429: "You are past the per minute request limit"}


def understood(body: dict[str, Any], path: str) -> dict[str, Any]:
    """The body as the planner of answers reads bodies: in OpenAI's form."""
    read = dict(body)
    wanted = body.get("response_format")
    if isinstance(wanted, dict) and isinstance(wanted.get("json_schema"), dict):
        read["response_format"] = {"type": "json_schema", "json_schema": {"schema": wanted["json_schema"]}}
    if body.get("tool_choice") == "NONE":
        read["tool_choice"] = "none"
    return read


def complaint(body: dict[str, Any]) -> str | None:
    """Why the real API answers 400, beyond what others do too."""
    for tool in body.get("tools") or ():
        name = (tool.get("function") or {}).get("name") or ""
        if not _TOOL_NAME.fullmatch(name):
            return f"tool names can only contain certain characters (A-Za-z0-9_) (provided name: {name!r})"
    if not 0.01 <= body.get("p", 0.75) <= 0.99:
        return "p must be between 0.01 and 0.99 inclusive"
    if body.get("tools") and (body.get("response_format") or {}).get("type") == "json_object":
        return "response_format is not supported with tools"
    return None


def usage_of(answer: Answer, output_tokens: int) -> dict[str, Any]:
    """Usage in wire form when `output_tokens` of the answer have been generated."""
    usage: dict[str, Any] = {
        "billed_units": {"input_tokens": answer.input_tokens, "output_tokens": output_tokens},
        "tokens": {"input_tokens": answer.input_tokens + TEMPLATE_TOKENS, "output_tokens": output_tokens},
    }
    if answer.cached_tokens:
        usage["cached_tokens"] = answer.cached_tokens
    return usage


def whole_body(answer: Answer, script: Script, body: dict[str, Any]) -> dict[str, Any]:
    """A chat answer that is not a stream."""
    choice = answer.choices[0]
    content: list[dict[str, Any]] = []
    if choice.thinking:
        content.append({"type": "thinking", "thinking": joined(choice.thinking)})
    message: dict[str, Any] = {"role": "assistant"}
    if choice.text and not choice.calls:
        content.append({"type": "text", "text": joined(choice.text)})
    elif choice.text:
        message["tool_plan"] = joined(choice.text)
    if content:
        message["content"] = content
    if choice.calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": joined(call.pieces)}}
            for call in choice.calls
        ]
    document: dict[str, Any] = {
        "id": answer.response_id,
        "finish_reason": finish_reason(choice, script),
        "message": message,
    }
    if script.usage_fault != "none":
        document["usage"] = spoil_usage(usage_of(answer, answer.output_tokens), script.usage_fault)
    return document


def finish_reason(choice: PlannedChoice, script: Script) -> str:
    if script.finish is not None:
        return script.finish
    if choice.cut_by_cap:
        return "MAX_TOKENS"
    return "TOOL_CALL" if choice.calls else "COMPLETE"


def stream_steps(answer: Answer, script: Script, body: dict[str, Any]) -> list[Step]:
    """The events of a streamed answer. Usage in `message-end` alone."""
    return list(_steps(answer, script))


def _steps(answer: Answer, script: Script) -> Iterator[Step]:
    choice = answer.choices[0]
    start = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield _event({"type": "message-start", "id": answer.response_id, "delta": {"message": start}})
    for _ in range(choice.hidden):
        yield Step(kind="content", tokens=1, wait_s=script.gap_s)
    index = 0
    for kind, tokens in (("thinking", choice.thinking), ("text", () if choice.calls else choice.text)):
        if not tokens:
            continue
        yield _content("content-start", index, {"type": kind, kind: ""})
        for token in tokens:
            yield _content("content-delta", index, {kind: token}, tokens=1, wait_s=script.gap_s)
        yield _event({"type": "content-end", "index": index})
        index += 1
    for token in choice.text if choice.calls else ():
        delta: dict[str, Any] = {"message": {"tool_plan": token}}
        yield _event({"type": "tool-plan-delta", "delta": delta}, "content", tokens=1, wait_s=script.gap_s)
    for number, call in enumerate(choice.calls):
        head = {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
        yield _event({"type": "tool-call-start", "index": number, "delta": {"message": {"tool_calls": head}}})
        for piece in call.pieces:
            delta = {"message": {"tool_calls": {"function": {"arguments": piece}}}}
            document = {"type": "tool-call-delta", "index": number, "delta": delta}
            yield _event(document, "content", tokens=1, wait_s=script.gap_s)
        yield _event({"type": "tool-call-end", "index": number})
    end: dict[str, Any] = {"finish_reason": finish_reason(choice, script)}
    usage = None
    if script.usage_fault != "none":
        usage = end["usage"] = spoil_usage(usage_of(answer, answer.output_tokens), script.usage_fault)
    yield _event({"type": "message-end", "id": answer.response_id, "delta": end}, "terminal", usage=usage)


def _content(name: str, index: int, content: dict[str, Any], *, tokens: int = 0, wait_s: float = 0.0) -> Step:
    document = {"type": name, "index": index, "delta": {"message": {"content": content}}}
    return _event(document, "content" if tokens else "other", tokens=tokens, wait_s=wait_s)


def _event(
    document: dict[str, Any], kind: Kind = "other", *, tokens: int = 0, wait_s: float = 0.0, usage: Any = None
) -> Step:
    data = b"event: " + document["type"].encode() + b"\ndata: " + orjson.dumps(document) + b"\n\n"
    return Step(data=data, kind=kind, tokens=tokens, wait_s=wait_s, usage=usage)


def error_body(status: int, script: Script) -> dict[str, Any]:
    return {"id": "scripted", "message": script.error_message or _MESSAGES.get(status, f"scripted error {status}")}


def error_event(script: Script) -> bytes:
    """The end of a stream whose generation failed."""
    delta = {"finish_reason": "ERROR", "error": script.error_message or "scripted error"}
    return _event({"type": "message-end", "delta": delta}).data


def models_body(names: tuple[str, ...]) -> dict[str, Any]:
    return {"models": [{"name": name, "endpoints": ["chat"]} for name in names]}
