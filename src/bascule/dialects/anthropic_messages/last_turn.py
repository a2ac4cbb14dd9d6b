"""The last turn of a Messages request."""

from typing import Any

from bascule.dialects.last_asked import last_asked as asked
from bascule.dialects.last_asked import text_in
from bascule.dialects.sampling import digest

_TEXT = frozenset({"text"})


def last_message(body: dict[str, Any]) -> Any:
    return body["messages"][-1]


def last_calls(body: dict[str, Any]) -> bytes | None:
    """Of a body whose facts have been read. Tools' results are blocks of the last message, the calls those before."""
    messages = body["messages"]
    content = messages[-1].get("content")
    if len(messages) < 2 or type(content) is not list or not any(b.get("type") == "tool_result" for b in content):
        return None
    before = messages[-2].get("content")
    if type(before) is not list:
        return None
    calls = [[block.get("name"), block.get("input")] for block in before if block.get("type") == "tool_use"]
    return digest(calls) if calls else None


def last_asked(body: dict[str, Any]) -> tuple[str, str] | None:
    return asked(body["messages"], _said, _answers)


def _said(message: dict[str, Any]) -> str | None:
    return text_in(message.get("content"), _TEXT) if message.get("role") == "user" else None


def _answers(message: dict[str, Any]) -> bool:
    return message.get("role") == "assistant"
