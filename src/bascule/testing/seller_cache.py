"""The prompt cache of a seller that passes Chat Completions on to Anthropic, marks and all, as OpenRouter documents it
(openrouter.ai/docs/guides/best-practices/prompt-caching): text parts may bear `cache_control`.
"""

import json
from typing import Any

from bascule.ports import Clock
from bascule.testing.anthropic_cache import AnthropicCache
from bascule.testing.cache_use import CacheUse, RefusedUse


class SellerCache:
    """Anthropic's cache behind a Chat Completions API."""

    def __init__(self, clock: Clock) -> None:
        self._cache = AnthropicCache(clock)

    def use(self, body: dict[str, Any]) -> CacheUse | RefusedUse:
        return self._cache.use(_messages_body(body))


def _messages_body(body: dict[str, Any]) -> dict[str, Any]:
    system: list[Any] = []
    messages: list[dict[str, Any]] = []
    for message in body["messages"]:
        parts = _parts(message.get("content"))
        if message["role"] == "system" and not messages:
            system += parts
        elif message["role"] == "tool":
            messages.append({"role": "user", "content": [_result(message["tool_call_id"], parts)]})
        else:
            calls = [_use(call) for call in message.get("tool_calls") or ()]
            messages.append({"role": message["role"], "content": [*parts, *calls]})
    return {"model": body["model"], "tools": body.get("tools"), "system": system, "messages": messages}


def _parts(content: Any) -> list[Any]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [] if content is None else list(content)


def _result(call: str, parts: list[Any]) -> dict[str, Any]:
    """A mark on a part is one on the result: there are none inside."""
    plain = [{key: value for key, value in part.items() if key != "cache_control"} for part in parts]
    marks = [part["cache_control"] for part in parts if "cache_control" in part]
    result = {"type": "tool_result", "tool_use_id": call, "content": plain}
    return {**result, "cache_control": marks[-1]} if marks else result


def _use(call: dict[str, Any]) -> dict[str, Any]:
    function = call["function"]
    return {"type": "tool_use", "id": call["id"], "name": function["name"], "input": json.loads(function["arguments"])}
