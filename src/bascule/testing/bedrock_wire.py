"""The provider's side of Bedrock's Converse: JSON, and a binary event stream."""

from collections.abc import Iterator
from itertools import pairwise
from struct import pack
from typing import Any
from urllib.parse import unquote
from zlib import crc32

import orjson

from bascule.testing.answer import Answer, PlannedChoice, joined
from bascule.testing.script import Script
from bascule.testing.steps import Kind, Step
from bascule.testing.usage_fault import spoil_usage

PATHS = ("/converse", "/converse-stream")
EVENT_STREAM = "application/vnd.amazon.eventstream"
_EXCEPTIONS = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    503: "ServiceUnavailableException",
}


def model_of(path: str) -> str:
    """The model that a path names."""
    return unquote(path.partition("/model/")[2].rpartition("/")[0])


def understood(body: dict[str, Any], path: str) -> dict[str, Any]:
    """The body as the planner of answers reads bodies: in Anthropic's form, with what stands in the path."""
    config = body.get("toolConfig") or {}
    tools = [tool["toolSpec"] for tool in config.get("tools") or () if "toolSpec" in tool]
    read: dict[str, Any] = {
        "model": model_of(path),
        "stream": path.endswith("/converse-stream"),
        "system": [block for block in body.get("system") or () if "text" in block],
        "messages": [_read_message(message) for message in body.get("messages") or ()],
        "tools": [{"name": tool.get("name"), "input_schema": tool.get("inputSchema")} for tool in tools],
        "thinking": (body.get("additionalModelRequestFields") or {}).get("thinking"),
    }
    if (cap := (body.get("inferenceConfig") or {}).get("maxTokens")) is not None:
        read["max_tokens"] = cap
    structure = ((body.get("outputConfig") or {}).get("textFormat") or {}).get("structure") or {}
    if "jsonSchema" in structure:
        schema = orjson.loads(structure["jsonSchema"]["schema"])
        read["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    return read


def _read_message(message: dict[str, Any]) -> dict[str, Any]:
    blocks = message.get("content") or []
    return {"role": message.get("role"), "content": [read for block in blocks if (read := _read_block(block))]}


def _read_block(block: dict[str, Any]) -> dict[str, Any] | None:
    if "text" in block:
        return {"type": "text", "text": block["text"]}
    if "image" in block:
        return {"type": "image"}
    if "document" in block:
        return {"type": "document"}
    if (call := block.get("toolUse")) is not None:
        return {"type": "tool_use", "id": call["toolUseId"], "name": call["name"], "input": call["input"]}
    if (result := block.get("toolResult")) is not None:
        content = [read for part in result["content"] if (read := _read_block(part))]
        return {"type": "tool_result", "tool_use_id": result["toolUseId"], "content": content}
    if (thought := (block.get("reasoningContent") or {}).get("reasoningText")) is not None:
        return {"type": "thinking", "thinking": thought["text"], "signature": thought.get("signature")}
    return None


def complaint(body: dict[str, Any]) -> str | None:
    """Why the real API answers 400, beyond what others do too."""
    messages = body.get("messages") or []
    roles = [message.get("role") for message in messages]
    if roles and roles[0] != "user":
        return "A conversation must start with a user message. Try again with a conversation that starts with one."
    if any(before == after for before, after in pairwise(roles)):
        return "roles must alternate between user and assistant"
    blocks = [block for message in messages for block in message.get("content") or ()]
    if any(not str(block.get("text", "x")).strip() for block in blocks):
        return "messages: text content blocks must be non-empty"
    uses_tools = any("toolUse" in block or "toolResult" in block for block in blocks)
    if uses_tools and not (body.get("toolConfig") or {}).get("tools"):
        return "The toolConfig field must be defined when using toolUse and toolResult content blocks."
    names = [block["document"]["name"] for block in blocks if "document" in block]
    if len(names) != len(set(names)):
        return "duplicate document names"
    return None


def usage_of(answer: Answer, output_tokens: int) -> dict[str, Any]:
    """Usage in wire form when `output_tokens` have been generated. Input is without what the cache gave or took."""
    written = answer.cache_write_5m_tokens + answer.cache_write_1h_tokens
    fresh = answer.input_tokens - answer.cached_tokens - written
    usage: dict[str, Any] = {
        "inputTokens": fresh,
        "outputTokens": output_tokens,
        "totalTokens": answer.input_tokens + output_tokens,
        "cacheReadInputTokens": answer.cached_tokens,
        "cacheWriteInputTokens": written,
    }
    lives = (("1h", answer.cache_write_1h_tokens), ("5m", answer.cache_write_5m_tokens))
    if written:
        usage["cacheDetails"] = [{"ttl": ttl, "inputTokens": count} for ttl, count in lives if count]
    return usage


def whole_body(answer: Answer, script: Script, body: dict[str, Any]) -> dict[str, Any]:
    """An answer that is not a stream."""
    choice = answer.choices[0]
    content: list[dict[str, Any]] = []
    if choice.thinking:
        told = {"text": joined(choice.thinking), "signature": answer.signature}
        content.append({"reasoningContent": {"reasoningText": told}})
    if choice.text:
        content.append({"text": joined(choice.text)})
    for call in choice.calls:
        # Arguments that the cap cut are no JSON any more.
        arguments = {} if choice.cut_by_cap and call is choice.calls[-1] else call.arguments
        content.append({"toolUse": {"toolUseId": call.id, "name": call.name, "input": arguments}})
    document: dict[str, Any] = {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": stop_reason(choice, script),
        "metrics": {"latencyMs": 1},
    }
    if script.usage_fault != "none":
        document["usage"] = spoil_usage(usage_of(answer, answer.output_tokens), script.usage_fault)
    return document


def stop_reason(choice: PlannedChoice, script: Script) -> str:
    if script.finish is not None:
        return script.finish
    if choice.cut_by_cap:
        return "max_tokens"
    return "tool_use" if choice.calls else "end_turn"


def stream_steps(answer: Answer, script: Script, body: dict[str, Any]) -> list[Step]:
    """The messages of a ConverseStream. Usage in `metadata`, the last one."""
    return list(_steps(answer, script))


def _steps(answer: Answer, script: Script) -> Iterator[Step]:
    choice = answer.choices[0]
    yield event("messageStart", {"role": "assistant"})
    for _ in range(choice.hidden):
        yield Step(kind="content", tokens=1, wait_s=script.gap_s)
    index = 0
    if choice.thinking:
        yield from _deltas(index, script, [{"reasoningContent": {"text": token}} for token in choice.thinking])
        signature = {"reasoningContent": {"signature": answer.signature}}
        yield event("contentBlockDelta", {"contentBlockIndex": index, "delta": signature})
        yield event("contentBlockStop", {"contentBlockIndex": index})
        index += 1
    if choice.text:
        yield from _deltas(index, script, [{"text": token} for token in choice.text])
        yield event("contentBlockStop", {"contentBlockIndex": index})
        index += 1
    for call in choice.calls:
        head = {"toolUse": {"toolUseId": call.id, "name": call.name}}
        yield event("contentBlockStart", {"contentBlockIndex": index, "start": head})
        yield from _deltas(index, script, [{"toolUse": {"input": piece}} for piece in call.pieces])
        yield event("contentBlockStop", {"contentBlockIndex": index})
        index += 1
    yield event("messageStop", {"stopReason": stop_reason(choice, script)}, "finish")
    document: dict[str, Any] = {"metrics": {"latencyMs": 1}}
    usage = None
    if script.usage_fault != "none":
        usage = document["usage"] = spoil_usage(usage_of(answer, answer.output_tokens), script.usage_fault)
    yield event("metadata", document, "terminal", usage=usage)


def _deltas(index: int, script: Script, deltas: list[dict[str, Any]]) -> Iterator[Step]:
    for delta in deltas:
        document = {"contentBlockIndex": index, "delta": delta}
        yield event("contentBlockDelta", document, "content", tokens=1, wait_s=script.gap_s)


def event(
    name: str,
    document: dict[str, Any],
    kind: Kind = "other",
    *,
    tokens: int = 0,
    wait_s: float = 0.0,
    usage: Any = None,
) -> Step:
    data = framed("event", name, orjson.dumps(document))
    return Step(data=data, kind=kind, tokens=tokens, wait_s=wait_s, usage=usage)


def framed(kind: str, name: str, payload: bytes) -> bytes:
    """A message of the kind `event` or `exception`."""
    headers = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
    head = b"".join([_written(name.encode(), value.encode()) for name, value in headers.items()])
    lengths = pack(">II", 16 + len(head) + len(payload), len(head))
    message = lengths + pack(">I", crc32(lengths)) + head + payload
    return message + pack(">I", crc32(message))


def _written(name: bytes, value: bytes) -> bytes:
    """A header whose value is text (type 7)."""
    return b"%c%b\x07%b%b" % (len(name), name, pack(">H", len(value)), value)


def error_body(status: int, script: Script) -> dict[str, Any]:
    return {"message": script.error_message or f"scripted error {status}"}


def error_headers(status: int, script: Script) -> tuple[tuple[str, str], ...]:
    """What says which exception an error is."""
    kind = script.error_type or _EXCEPTIONS.get(status, "InternalServerException")
    return (("x-amzn-errortype", f"{kind}:http://internal.amazon.com/coral/com.amazon.bedrock/"),)


def error_event(script: Script) -> bytes:
    """An exception inside a stream that began with 200."""
    name = script.error_type or "modelStreamErrorException"
    return framed("exception", name, orjson.dumps(error_body(424, script)))


def models_body(names: tuple[str, ...]) -> dict[str, Any]:
    """Bedrock lists its models elsewhere."""
    return {"modelSummaries": [{"modelId": name} for name in names]}
