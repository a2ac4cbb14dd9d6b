"""A Messages request as a client of Chat Completions would have sent it: for sessions that are to be the same in both.

Written apart from the codecs that it helps to judge. What such a client does not have is left out: marks, thinking,
the billing line.
"""

import json
from typing import Any

BILLING = "x-anthropic-billing-header:"


def chat_body(body: dict[str, Any]) -> dict[str, Any]:
    """The Chat Completions body."""
    system = "\n\n".join([block["text"] for block in body["system"] if not block["text"].startswith(BILLING)])
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}]
    for message in body["messages"]:
        content = message["content"]
        if message["role"] == "assistant":
            messages.append(_assistant(content))
        elif isinstance(content, str):
            messages.append({"role": message["role"], "content": content})
        else:
            messages += _user(content)
    return {
        "model": body["model"],
        "max_tokens": body["max_tokens"],
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": messages,
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": tool["name"],
                    "description": tool["description"],
                    "parameters": tool["input_schema"],
                },
            }
            for tool in body["tools"]
        ],
    }


def _assistant(content: list[dict[str, Any]]) -> dict[str, Any]:
    turn: dict[str, Any] = {
        "role": "assistant",
        "content": "".join([block["text"] for block in content if block["type"] == "text"]),
    }
    calls = [
        {"id": block["id"], "type": "function", "function": {"name": block["name"], "arguments": _text(block["input"])}}
        for block in content
        if block["type"] == "tool_use"
    ]
    return {**turn, "tool_calls": calls} if calls else turn


def _user(content: list[dict[str, Any]]) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = [
        {"role": "tool", "tool_call_id": block["tool_use_id"], "content": block["content"]}
        for block in content
        if block["type"] == "tool_result"
    ]
    said = [{"type": "text", "text": block["text"]} for block in content if block["type"] == "text"]
    return [*turns, {"role": "user", "content": said}] if said else turns


def _text(arguments: dict[str, Any]) -> str:
    return json.dumps(arguments)
