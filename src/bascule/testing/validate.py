"""What the real APIs refuse with 400 and a gateway could get wrong: shapes, caps, and which tool call is answered."""

from typing import Any

from bascule.testing import gemini_prompt
from bascule.testing.script import Dialect
from bascule.testing.validate_responses import responses_complaint


def complaint(dialect: Dialect, body: Any) -> str | None:
    """Why this body is a 400, None where it is sound."""
    if dialect == "gemini":
        return gemini_prompt.complaint(body)
    if not isinstance(body, dict):
        return "the body must be a JSON object"
    if not isinstance(body.get("model"), str) or not body["model"]:
        return "you must provide a model parameter"
    if dialect == "responses":
        return responses_complaint(body)
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return "messages: at least one message is required"
    if not all(isinstance(message, dict) and isinstance(message.get("role"), str) for message in messages):
        return "messages: each needs a role"
    for key in ("max_tokens", "max_completion_tokens"):
        cap = body.get(key)
        if cap is not None and (not isinstance(cap, int) or isinstance(cap, bool) or cap < 1):
            return f"{key}: must be an integer of at least 1"
    in_openais_form = dialect in ("openai", "cohere")
    return _openai_complaint(body, messages) if in_openais_form else _anthropic_complaint(body, messages)


def _openai_complaint(body: dict[str, Any], messages: list[dict[str, Any]]) -> str | None:
    if body.get("stream_options") is not None and not body.get("stream"):
        return "The 'stream_options' parameter is only allowed when 'stream' is enabled."
    open_calls: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            identifier = message.get("tool_call_id")
            if identifier not in open_calls:
                return f"tool_call_id {identifier!r} answers no call of the preceding assistant message"
            open_calls.discard(str(identifier))
        elif open_calls:
            return f"tool calls without an answer: {sorted(open_calls)}"
        elif message["role"] == "assistant":
            open_calls = {str(call.get("id")) for call in message.get("tool_calls") or ()}
        elif message["role"] not in {"system", "developer", "user", "function"}:
            return f"unknown role {message['role']!r}"
    return f"tool calls without an answer: {sorted(open_calls)}" if open_calls else None


def _anthropic_complaint(body: dict[str, Any], messages: list[dict[str, Any]]) -> str | None:
    open_calls: set[str] = set()
    for message in messages:
        if message["role"] not in {"user", "assistant", "system"}:
            return f"unknown role {message['role']!r}"
        blocks = message.get("content")
        if not isinstance(blocks, str | list) or not blocks:
            return "messages: content must be a non-empty string or list of blocks"
        listed = [block for block in blocks if isinstance(block, dict)] if isinstance(blocks, list) else []
        answered = {str(block.get("tool_use_id")) for block in listed if block.get("type") == "tool_result"}
        if message["role"] == "user" and answered != open_calls:
            return f"tool_result blocks {sorted(answered)} do not answer the tool_use blocks {sorted(open_calls)}"
        if message["role"] == "user":
            open_calls = set()
        if message["role"] == "assistant":
            open_calls = {str(block.get("id")) for block in listed if block.get("type") == "tool_use"}
            if any(block.get("type") == "thinking" and not block.get("signature") for block in listed):
                return "thinking blocks need their signature"
    return None


def lacks_cap(dialect: Dialect, body: dict[str, Any], counts_only: bool) -> str | None:
    """Anthropic's answer to a request for a message without max_tokens."""
    if dialect == "anthropic" and not counts_only and "max_tokens" not in body:
        return "max_tokens: Field required"
    return None
