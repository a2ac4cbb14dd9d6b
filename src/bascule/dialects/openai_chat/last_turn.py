"""The last turn of a Chat Completions request."""

from typing import Any

from bascule.dialects.sampling import digest


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
