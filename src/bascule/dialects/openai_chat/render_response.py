"""A canonical answer, and canonical usage, in Chat Completions' words."""

from typing import Any

import msgspec

from bascule.dialects.names import call_id, signed_call_id
from bascule.dialects.signatures import signature_text
from bascule.model.request import Block, RedactedThinking, RefusalText, Signature, Text, Thinking, ToolUse
from bascule.model.response import Choice, Response
from bascule.model.usage import Usage

FINISH_REASON: dict[str, str] = {
    "stop": "stop",
    "pause": "stop",
    "length": "length",
    "tool_use": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "content_filter",
}


def finish_reason(finish: str | None, has_calls: bool) -> str:
    """What the client acts on: calls must read `tool_calls` and only calls may."""
    reason = FINISH_REASON.get(finish or "stop", "stop")
    if reason in ("stop", "tool_calls"):
        return "tool_calls" if has_calls else "stop"
    return reason


def completion_id(given: str | None) -> str:
    """An answer's id in OpenAI's form, made from the provider's."""
    return "chatcmpl-" + (given or "unknown").removeprefix("msg_")


def render_response(
    response: Response, model: str, usage: Usage, cost: bytes | None, names: dict[str, str], created_s: int
) -> bytes:
    """A chat completion. `names` leads from fitted tool names back to the client's; `cost` is a JSON number."""
    body: dict[str, Any] = {
        "id": completion_id(response.id),
        "object": "chat.completion",
        "created": created_s,
        "model": model,
        "choices": [_choice(choice, index, names) for index, choice in enumerate(response.choices)],
    }
    if (rendered := render_usage(usage, cost)) is not None:
        body["usage"] = rendered
    return msgspec.json.encode(body)


def render_usage(usage: Usage, cost: bytes | None) -> dict[str, Any] | None:
    """OpenAI's inclusive counts; None where the provider reported none."""
    if usage.source == "none":
        return None
    prompt = usage.billed_input + (usage.tokens_audio_in or 0) + (usage.tokens_image_in or 0)
    completion = usage.billed_output + (usage.tokens_audio_out or 0)
    written = (usage.tokens_cache_write_5m or 0) + (usage.tokens_cache_write_1h or 0)
    rendered: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": usage.tokens_cache_read or 0},
    }
    if written:
        rendered["prompt_tokens_details"]["cache_write_tokens"] = written
    if usage.tokens_reasoning is not None:
        rendered["completion_tokens_details"] = {"reasoning_tokens": usage.tokens_reasoning}
    if cost is not None:
        rendered["cost"] = msgspec.Raw(cost)
    return rendered


def _choice(choice: Choice, index: int, names: dict[str, str]) -> dict[str, Any]:
    content = choice.content
    if len(content) == 1 and type(only := content[0]) is Text:
        message: dict[str, Any] = {"role": "assistant", "content": only.text, "refusal": None}
    else:
        message = _message(content, names)
    return {
        "index": index,
        "message": message,
        "logprobs": choice.logprobs,
        "finish_reason": finish_reason(choice.finish_reason, "tool_calls" in message),
    }


def _message(content: tuple[Block, ...], names: dict[str, str]) -> dict[str, Any]:
    text = "".join([block.text for block in content if isinstance(block, Text)])
    refusal = "".join([block.text for block in content if isinstance(block, RefusalText)])
    thoughts = [block for block in content if isinstance(block, Thinking)]
    calls = [block for block in content if isinstance(block, ToolUse)]
    message: dict[str, Any] = {"role": "assistant", "content": text or None, "refusal": refusal or None}
    if thoughts:
        message["reasoning_content"] = "\n".join([thought.text for thought in thoughts])
    if details := _reasoning_details(content):
        message["reasoning_details"] = details
    if calls:
        message["tool_calls"] = [_call(call, names) for call in calls]
    elif not text and not refusal:
        message["content"] = ""
    return message


def _reasoning_details(content: tuple[Block, ...]) -> list[dict[str, Any]]:
    details: list[dict[str, Any]] = []
    for block in content:
        if isinstance(block, Thinking) and block.signature is not None:
            details.append(reasoning_detail(block.text, block.signature, len(details)))
        elif isinstance(block, RedactedThinking):
            details.append(encrypted_detail(block.signature, len(details)))
    return details


def reasoning_detail(text: str, signature: Signature, index: int) -> dict[str, Any]:
    """OpenRouter's way to hand a signature to clients of this dialect, which send it back in the next turn."""
    return {
        "type": "reasoning.text",
        "text": text,
        "signature": signature_text(signature, "anthropic_messages"),
        "format": "anthropic-claude-v1" if signature.dialect == "anthropic_messages" else "unknown",
        "index": index,
    }


def encrypted_detail(signature: Signature, index: int) -> dict[str, Any]:
    """The same for reasoning that only its issuer can read."""
    data = signature_text(signature, "openai_chat")
    return {"type": "reasoning.encrypted", "data": data, "format": "unknown", "index": index}


def _call(block: ToolUse, names: dict[str, str]) -> dict[str, Any]:
    if block.kind == "custom":
        custom = {"name": names.get(block.name, block.name), "input": block.arguments}
        return {"id": call_id(block.id), "type": "custom", "custom": custom}
    function = {"name": names.get(block.name, block.name), "arguments": block.arguments or "{}"}
    return {"id": signed_call_id(block.id, block.signature), "type": "function", "function": function}
