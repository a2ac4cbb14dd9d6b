"""The last turn of a Chat Completions request."""

from typing import Any

from bascule.dialects.last_asked import last_asked as asked
from bascule.dialects.last_asked import text_in
from bascule.dialects.sampling import digest

_TEXT = frozenset({"text"})


def last_message(body: dict[str, Any]) -> Any:
    return body["messages"][-1]


def last_calls(body: dict[str, Any]) -> bytes | None:
    """Of a body whose facts have been read. Tools' results are messages at the end; before them stand the calls."""
    messages = body["messages"]
    for message in reversed(messages):
        role = message.get("role")
        if role == "tool" or role == "function":
            continue
        calls = message.get("tool_calls") or message.get("function_call")
        if role != "assistant" or message is messages[-1] or not calls:
            return None
        return digest(_called(calls))
    return None


def _called(calls: Any) -> list[Any]:
    """Names and arguments, without ids."""
    if type(calls) is not list:
        return [calls]
    return [(call.get("function") or call.get("custom")) if type(call) is dict else None for call in calls]


def last_asked(body: dict[str, Any]) -> tuple[str, str] | None:
    return asked(body["messages"], _said, _answers)


def _said(message: dict[str, Any]) -> str | None:
    return text_in(message.get("content"), _TEXT) if message.get("role") == "user" else None


def _answers(message: dict[str, Any]) -> bool:
    return message.get("role") == "assistant"
