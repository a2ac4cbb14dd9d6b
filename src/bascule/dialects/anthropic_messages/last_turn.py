"""The last turn of a Messages request."""

from typing import Any

from bascule.dialects.sampling import digest
from bascule.model.turn import Turn


def last_turn(body: dict[str, Any]) -> Turn:
    """Of a body whose facts have been read. Tools' results are blocks of the last message, the calls those before."""
    messages = body["messages"]
    content = messages[-1].get("content")
    said = digest([content])
    if len(messages) < 2 or type(content) is not list or not any(b.get("type") == "tool_result" for b in content):
        return Turn(None, said)
    before = messages[-2].get("content")
    if type(before) is not list:
        return Turn(None, said)
    calls = [[block.get("name"), block.get("input")] for block in before if block.get("type") == "tool_use"]
    return Turn(digest(calls) if calls else None, said)
