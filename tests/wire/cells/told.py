"""What a client was told, read from its own dialect's answer: one value, whatever the dialect."""

import json
from collections.abc import Callable
from typing import Any

from msgspec import Struct

Body = dict[str, Any]


class Told(Struct, frozen=True, kw_only=True):
    """An answer. Token counts are inclusive: `tokens_in` has the cached ones, `tokens_out` the reasoning."""

    text: str
    thinking: str
    calls: tuple[tuple[str, Any], ...]
    """(name, arguments)."""
    finish: str
    """In the dialect's own word."""
    tokens_in: int
    tokens_cached: int
    tokens_out: int
    tokens_reasoning: int | None
    """None where the dialect cannot say."""


def _chat(body: Body) -> Told:
    (choice,) = body["choices"]
    message = choice["message"]
    usage = body["usage"]
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    return Told(
        text=message.get("content") or "",
        thinking=message.get("reasoning_content") or "",
        calls=tuple([(call["name"], json.loads(call["arguments"])) for call in calls]),
        finish=choice["finish_reason"],
        tokens_in=usage["prompt_tokens"],
        tokens_cached=(usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0,
        tokens_out=usage["completion_tokens"],
        tokens_reasoning=(usage.get("completion_tokens_details") or {}).get("reasoning_tokens"),
    )


def _messages(body: Body) -> Told:
    blocks, usage = body["content"], body["usage"]
    cached = usage.get("cache_read_input_tokens") or 0
    return Told(
        text="".join([block["text"] for block in blocks if block["type"] == "text"]),
        thinking="".join([block["thinking"] for block in blocks if block["type"] == "thinking"]),
        calls=tuple([(block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"]),
        finish=body["stop_reason"],
        tokens_in=usage["input_tokens"] + cached + (usage.get("cache_creation_input_tokens") or 0),
        tokens_cached=cached,
        tokens_out=usage["output_tokens"],
        tokens_reasoning=None,
    )


def _responses(body: Body) -> Told:
    items, usage = body["output"], body["usage"]
    parts = [part for item in items if item["type"] == "message" for part in item["content"]]
    calls = [item for item in items if item["type"] == "function_call"]
    thoughts = [
        part["text"]
        for item in items
        if item["type"] == "reasoning"
        for part in [*(item.get("summary") or ()), *(item.get("content") or ())]
    ]
    incomplete = body.get("incomplete_details") or {}
    return Told(
        text="".join([part["text"] for part in parts if part["type"] == "output_text"]),
        thinking="".join(thoughts),
        calls=tuple([(call["name"], json.loads(call["arguments"])) for call in calls]),
        finish=incomplete.get("reason") or body["status"],
        tokens_in=usage["input_tokens"],
        tokens_cached=usage["input_tokens_details"]["cached_tokens"],
        tokens_out=usage["output_tokens"],
        tokens_reasoning=usage["output_tokens_details"]["reasoning_tokens"],
    )


def _gemini(body: Body) -> Told:
    (candidate,) = body["candidates"]
    parts = (candidate.get("content") or {}).get("parts") or []
    usage = body["usageMetadata"]
    thoughts = usage.get("thoughtsTokenCount")
    calls = [part["functionCall"] for part in parts if part.get("functionCall")]
    return Told(
        text="".join([part["text"] for part in parts if part.get("text") and not part.get("thought")]),
        thinking="".join([part["text"] for part in parts if part.get("text") and part.get("thought")]),
        calls=tuple([(call["name"], call.get("args") or {}) for call in calls]),
        finish=candidate["finishReason"],
        tokens_in=usage["promptTokenCount"],
        tokens_cached=usage.get("cachedContentTokenCount") or 0,
        tokens_out=(usage.get("candidatesTokenCount") or 0) + (thoughts or 0),
        tokens_reasoning=thoughts,
    )


READERS: dict[str, Callable[[Body], Told]] = {
    "openai_chat": _chat,
    "openai_responses": _responses,
    "anthropic_messages": _messages,
    "gemini": _gemini,
}


def joined_gemini(chunks: list[Body]) -> Body:
    """A Gemini stream as one answer: parts in their order, the last word on everything else."""
    whole: Body = {}
    parts: list[Body] = []
    for chunk in chunks:
        for candidate in chunk.get("candidates") or ():
            parts += (candidate.get("content") or {}).get("parts") or []
            whole.setdefault("candidates", [{}])[0].update(candidate)
        if "usageMetadata" in chunk:
            whole["usageMetadata"] = chunk["usageMetadata"]
    for candidate in whole.get("candidates", ()):
        candidate["content"] = {"role": "model", "parts": parts}
    return whole
