"""A canonical answer, and canonical usage, in Google's words."""

from typing import Any

import msgspec

from bascule.dialects.anthropic_messages.render_request import arguments_object
from bascule.dialects.base import Body
from bascule.dialects.gemini.signatures import written
from bascule.dialects.names import call_id
from bascule.model.request import Block, Image, RedactedThinking, RefusalText, Signature, Text, Thinking, ToolUse
from bascule.model.response import Choice, Response
from bascule.model.usage import Usage

FINISH_REASON: dict[str, str] = {
    "stop": "STOP",
    "tool_use": "STOP",
    "pause": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
    "refusal": "SAFETY",
}


def finish_word(finish: str | None) -> str:
    """Why a candidate ended; a word that only the provider knows is none of the SDK's either."""
    return FINISH_REASON.get(finish or "stop", "OTHER")


def render_response(
    response: Response, model: str, usage: Usage, cost: bytes | None, names: dict[str, str], wants_thinking: bool
) -> bytes:
    """A `GenerateContentResponse`. `names` leads from fitted function names back to the client's; `cost` is a JSON
    number of dollars. Thoughts go only to clients that asked for them."""
    body: Body = {
        "candidates": [_candidate(choice, at, names, wants_thinking) for at, choice in enumerate(response.choices)],
        "modelVersion": model,
        "responseId": response.id or "unknown",
    }
    if (rendered := render_usage(usage, cost)) is not None:
        body["usageMetadata"] = rendered
    return msgspec.json.encode(body)


def render_usage(usage: Usage, cost: bytes | None) -> Body | None:
    """Google's counts: the prompt's includes the cached part, thoughts stand beside the candidates'. None where the
    provider reported none."""
    if usage.source == "none":
        return None
    prompt = usage.billed_input + (usage.tokens_audio_in or 0) + (usage.tokens_image_in or 0)
    candidates = (usage.tokens_out or 0) + (usage.tokens_audio_out or 0) + (usage.tokens_image_out or 0)
    rendered: Body = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": candidates,
        "totalTokenCount": prompt + candidates + (usage.tokens_reasoning or 0),
    }
    if usage.tokens_cache_read is not None:
        rendered["cachedContentTokenCount"] = usage.tokens_cache_read
    if usage.tokens_reasoning is not None:
        rendered["thoughtsTokenCount"] = usage.tokens_reasoning
    if cost is not None:
        rendered["cost"] = msgspec.Raw(cost)
    return rendered


def _candidate(choice: Choice, at: int, names: dict[str, str], wants_thinking: bool) -> Body:
    parts = [part for block in choice.content if (part := _part(block, names, wants_thinking)) is not None]
    refused = any(isinstance(block, RefusalText) for block in choice.content)
    return {
        "content": {"parts": parts or [{"text": ""}], "role": "model"},
        "finishReason": finish_word("refusal" if refused else choice.finish_reason),
        "index": at,
    }


def _part(block: Block, names: dict[str, str], wants_thinking: bool) -> Body | None:
    if isinstance(block, Text | RefusalText):
        return {"text": block.text} if block.text else None
    if isinstance(block, ToolUse):
        return call_part(block.id, names.get(block.name, block.name), block.arguments, block.signature)
    if isinstance(block, Thinking) and wants_thinking:
        part: dict[str, Any] = {"text": block.text, "thought": True}
        return part if block.signature is None else {**part, "thoughtSignature": written(block.signature)}
    if isinstance(block, RedactedThinking) and wants_thinking:
        return {"text": "", "thought": True, "thoughtSignature": written(block.signature, redacted=True)}
    if isinstance(block, Image) and block.data is not None:
        return {"inlineData": {"mimeType": block.media_type or "image/png", "data": block.data}}
    return None


def call_part(given_id: str, name: str, arguments: str, signature: Signature | None) -> Body:
    """A call of a function."""
    part: Body = {"functionCall": {"id": call_id(given_id), "name": name, "args": arguments_object(arguments)}}
    return part if signature is None else {**part, "thoughtSignature": written(signature)}
