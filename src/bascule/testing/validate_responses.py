"""What the real Responses API refuses with 400 and a gateway could get wrong."""

from typing import Any

_LEAST_OUTPUT = 16
_FOREIGN = ("messages", "max_tokens", "max_completion_tokens", "response_format", "stop", "n", "functions", "system")
_OUTPUTS = ("function_call_output", "custom_tool_call_output")
_CALLS = ("function_call", "custom_tool_call")
_PREFIXES = {"message": "msg", "reasoning": "rs", "function_call": "fc", "custom_tool_call": "ctc"}
_MOST_CALL_ID_CHARS = 64


def responses_complaint(body: dict[str, Any]) -> str | None:
    """Why this body is a 400, None where it is sound."""
    for key in _FOREIGN:
        if key in body:
            return f"Unknown parameter: '{key}'."
    cap = body.get("max_output_tokens")
    if cap is not None and (not isinstance(cap, int) or isinstance(cap, bool) or cap < _LEAST_OUTPUT):
        return f"Invalid 'max_output_tokens': expected an integer of at least {_LEAST_OUTPUT}."
    given = body.get("input")
    if isinstance(given, str) and given:
        return None
    if not isinstance(given, list) or not given or not all(isinstance(item, dict) for item in given):
        return "One of 'input' or 'previous_response_id' must be provided."
    for at, item in enumerate(given):
        if (wrong := _item_complaint(item)) is not None:
            return f"Invalid 'input[{at}]': {wrong}"
    return _calls_complaint(given)


def _item_complaint(item: dict[str, Any]) -> str | None:
    kind = item.get("type", "message")
    if kind == "message" and item.get("role") not in ("user", "assistant", "system", "developer"):
        return f"unknown role {item.get('role')!r}"
    prefix, name = _PREFIXES.get(kind), item.get("id")
    if prefix is not None and isinstance(name, str) and not name.startswith(prefix):
        return f"expected an ID that begins with '{prefix}'"
    if len(str(item.get("call_id", ""))) > _MOST_CALL_ID_CHARS:
        return f"'call_id' is longer than {_MOST_CALL_ID_CHARS}"
    encrypted = item.get("encrypted_content")
    if kind == "reasoning" and (not encrypted or not isinstance(encrypted, str) or ":" in encrypted):
        return "the encrypted content could not be verified"
    return None


def _calls_complaint(items: list[dict[str, Any]]) -> str | None:
    called = [item.get("call_id") for item in items if item.get("type") in _CALLS]
    answered = [item.get("call_id") for item in items if item.get("type") in _OUTPUTS]
    for call in answered:
        if call not in called:
            return f"No tool call found for function call output with call_id {call}."
    for call in called:
        if call not in answered:
            return f"No tool output found for function call {call}."
    return None
