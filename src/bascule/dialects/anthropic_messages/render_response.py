"""A canonical answer, and canonical usage, in Anthropic's words."""

from typing import Any

import msgspec

from bascule.dialects.anthropic_messages.parse_content import NAME
from bascule.dialects.anthropic_messages.render_request import arguments_object
from bascule.dialects.anthropic_messages.unsigned import FOREIGN_SIGNATURE
from bascule.dialects.names import call_id, signed_call_id
from bascule.model.request import Block, RedactedThinking, RefusalText, Text, Thinking, ToolUse
from bascule.model.response import Response
from bascule.model.usage import Usage

STOP_REASON: dict[str, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_use": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
    "pause": "pause_turn",
}


def stop_reason(finish: str | None, has_calls: bool, refused: bool, stop_sequence: str | None) -> str:
    """What the client acts on: calls must read `tool_use` and only calls may, whatever the provider said."""
    if refused:
        return "refusal"
    reason = STOP_REASON.get(finish or "stop", "end_turn")
    if reason in ("end_turn", "tool_use"):
        reason = "tool_use" if has_calls else "end_turn"
    return "stop_sequence" if reason == "end_turn" and stop_sequence is not None else reason


def message_id(given: str | None) -> str:
    """An answer's id in Anthropic's form, made from the provider's."""
    return "msg_" + call_id((given or "unknown").removeprefix("chatcmpl-"))


def render_response(
    response: Response, model: str, usage: Usage, cost: bytes | None, names: dict[str, str], wants_thinking: bool
) -> bytes:
    """The first choice as a Message. `names` leads from fitted tool names back to the client's; `cost` is a JSON
    number of dollars. Reasoning goes only to clients that asked for thinking."""
    choice = response.choices[0]
    content = [rendered for block in choice.content if (rendered := _block(block, names, wants_thinking)) is not None]
    has_calls = any(isinstance(block, ToolUse) for block in choice.content)
    refused = any(isinstance(block, RefusalText) for block in choice.content)
    body = {
        "id": message_id(response.id),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop_reason(choice.finish_reason, has_calls, refused, choice.stop_sequence),
        "stop_sequence": choice.stop_sequence,
        "usage": render_usage(usage, cost),
    }
    return msgspec.json.encode(body)


def render_usage(usage: Usage, cost: bytes | None) -> dict[str, Any]:
    """Anthropic's usage requires counts; what the provider did not report is 0 there."""
    rendered: dict[str, Any] = {
        "input_tokens": (usage.tokens_in or 0) + (usage.tokens_audio_in or 0) + (usage.tokens_image_in or 0),
        "cache_creation_input_tokens": (usage.tokens_cache_write_5m or 0) + (usage.tokens_cache_write_1h or 0),
        "cache_read_input_tokens": usage.tokens_cache_read or 0,
        "output_tokens": usage.billed_output + (usage.tokens_audio_out or 0),
    }
    if cost is not None:
        rendered["cost"] = msgspec.Raw(cost)
    return rendered


def _block(block: Block, names: dict[str, str], wants_thinking: bool) -> dict[str, Any] | None:
    if isinstance(block, Text | RefusalText):
        return {"type": "text", "text": block.text, "citations": None} if block.text else None
    if isinstance(block, ToolUse):
        return {
            "type": "tool_use",
            "id": signed_call_id(block.id, block.signature),
            "name": names.get(block.name, block.name),
            "input": arguments_object(block.arguments),
        }
    if isinstance(block, Thinking) and wants_thinking:
        given = block.signature
        signature = FOREIGN_SIGNATURE if given is None or given.dialect != NAME else given.value
        return {"type": "thinking", "thinking": block.text, "signature": signature}
    if isinstance(block, RedactedThinking) and wants_thinking and block.signature.dialect == NAME:
        return {"type": "redacted_thinking", "data": block.signature.value}
    return None
