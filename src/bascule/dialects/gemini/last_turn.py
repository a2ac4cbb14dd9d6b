"""The last turn of a `generateContent` request."""

from typing import Any

from bascule.dialects.last_asked import last_asked as asked
from bascule.dialects.sampling import digest

_RESPONSE = ("functionResponse", "function_response")
_CALL = ("functionCall", "function_call")


def last_message(body: dict[str, Any]) -> Any:
    return body["contents"][-1]


def last_calls(body: dict[str, Any]) -> bytes | None:
    """Of a body whose facts have been read. Results are parts of the last content, the calls those before."""
    contents = body["contents"]
    parts = contents[-1].get("parts") or []
    if len(contents) < 2 or not any(_held(part, _RESPONSE) for part in parts):
        return None
    called = [call for part in contents[-2].get("parts") or [] if (call := _held(part, _CALL))]
    calls = [[call.get("name"), call.get("args")] for call in called if type(call) is dict]
    return digest(calls) if calls else None


def _held(part: dict[str, Any], names: tuple[str, str]) -> Any:
    return part.get(names[0]) or part.get(names[1])


def last_asked(body: dict[str, Any]) -> tuple[str, str] | None:
    return asked(body["contents"], _said, _answers)


def _said(content: dict[str, Any]) -> str | None:
    if content.get("role") not in ("user", None):
        return None
    parts = content.get("parts") or []
    if any(_held(part, _RESPONSE) for part in parts):
        return None
    return "\n".join([text for part in parts if type(text := part.get("text")) is str])


def _answers(content: dict[str, Any]) -> bool:
    return content.get("role") == "model"
