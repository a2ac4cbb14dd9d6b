"""The last turn of a Chat Completions request."""

from typing import Any

from bascule.dialects.sampling import digest
from bascule.model.turn import Turn


def last_turn(body: dict[str, Any]) -> Turn:
    """Of a body whose facts have been read. Tools' results are messages at the end; before them stand the calls."""
    messages = body["messages"]
    said = digest([messages[-1]])
    for message in reversed(messages):
        role = message.get("role")
        if role == "tool" or role == "function":
            continue
        calls = message.get("tool_calls") or message.get("function_call")
        if role != "assistant" or message is messages[-1] or not calls:
            return Turn(None, said)
        return Turn(digest(_called(calls)), said)
    return Turn(None, said)


def _called(calls: Any) -> list[Any]:
    """Names and arguments, without ids."""
    if type(calls) is not list:
        return [calls]
    return [(call.get("function") or call.get("custom")) if type(call) is dict else None for call in calls]
