"""An agent's request in two dialects: 28 tools, a turn with a tool call and its result, 76 KB.

Its shape is a captured request of Claude Code, where one lies beside the checkout; its vendor's prose was cut out of it
and is replaced by ours, each piece shortened alike. Elsewhere a shape of our own takes its place.
"""

import json
import re
from pathlib import Path
from typing import Any

from benchmarks.prose import prose

SIZE_BYTES = 76_000
TOOLS = 28
_CAPTURED = "claude-code__post_v1_messages-stream-tools28-toolresult.json"
_FOLDER = Path(__file__).parents[2] / "shared" / "data" / "clients"
_CUT = re.compile(r"… ?\[(\d+) chars cut\]")

Json = dict[str, Any]


def messages_body(model: str) -> bytes:
    """The request as a client of Anthropic's Messages sends it. Not streamed."""
    body = {**_shape(), "model": model, "stream": False}
    missing = SIZE_BYTES - len(_compact(body))
    last = body["system"][-1]
    body["system"] = [*body["system"][:-1], {**last, "text": last["text"] + prose(max(0, missing))}]
    return _compact(body)


def chat_body(model: str) -> bytes:
    """The same conversation and tools as a client of OpenAI's Chat Completions sends them. Not streamed."""
    source = json.loads(messages_body(model))
    system = "\n".join([block["text"] for block in source["system"]])
    messages: list[Json] = [{"role": "system", "content": system}]
    for message in source["messages"]:
        messages += _chat_messages(message)
    body = {
        "model": model,
        "max_tokens": source["max_tokens"],
        "messages": messages,
        "tools": [_chat_tool(tool) for tool in source["tools"]],
        "tool_choice": "auto",
    }
    missing = SIZE_BYTES - len(_compact(body))
    messages[0]["content"] = f"{system}{prose(missing)}" if missing > 0 else system[:missing]
    return _compact(body)


def _shape() -> Json:
    captured = _FOLDER / _CAPTURED
    if not captured.is_file():
        return _own_shape()
    text = json.dumps(json.loads(captured.read_text())["body"], ensure_ascii=False, separators=(",", ":"))
    cut = sum([int(chars) for chars in _CUT.findall(text)])
    share = min(1.0, (SIZE_BYTES - len(_CUT.sub("", text).encode())) / cut)
    shape: Json = json.loads(_CUT.sub(lambda piece: prose(int(int(piece[1]) * share)), text))
    return shape


def _own_shape() -> Json:
    """The same parts at about the same sizes."""
    mark = {"cache_control": {"type": "ephemeral"}}
    return {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": prose(400)}, {"type": "text", "text": prose(40)}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": prose(60)},
                    {"type": "tool_use", "id": "toolu_0123456789abcdef01234567", "name": "tool_3", "input": {"p": "a"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_0123456789abcdef01234567", "content": "1", **mark}
                ],
            },
        ],
        "system": [{"type": "text", "text": prose(60), **mark}, {"type": "text", "text": prose(6_000), **mark}],
        "tools": [_own_tool(number) for number in range(TOOLS)],
        "max_tokens": 64_000,
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "high"},
    }


def _own_tool(number: int) -> Json:
    field = {"type": "string", "description": prose(90)}
    properties = {f"field_{at}": field for at in range(1 + number % 8)}
    schema = {"type": "object", "properties": properties, "required": ["field_0"], "additionalProperties": False}
    return {"name": f"tool_{number}", "description": prose(1_000), "input_schema": schema}


def _chat_messages(message: Json) -> list[Json]:
    content = message["content"]
    if isinstance(content, str):
        return [{"role": message["role"], "content": content}]
    texts = [{"type": "text", "text": block["text"]} for block in content if block["type"] == "text"]
    results = [
        {"role": "tool", "tool_call_id": block["tool_use_id"], "content": block["content"]}
        for block in content
        if block["type"] == "tool_result"
    ]
    calls = [_chat_call(block) for block in content if block["type"] == "tool_use"]
    if calls:
        return [{"role": message["role"], "content": texts or None, "tool_calls": calls}]
    return [*results, *([{"role": message["role"], "content": texts}] if texts else [])]


def _chat_call(block: Json) -> Json:
    function = {"name": block["name"], "arguments": json.dumps(block["input"])}
    return {"id": block["id"], "type": "function", "function": function}


def _chat_tool(tool: Json) -> Json:
    function = {"name": tool["name"], "description": tool["description"], "parameters": tool["input_schema"]}
    return {"type": "function", "function": function}


def _compact(body: Json) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
