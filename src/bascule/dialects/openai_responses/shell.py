"""The `response` object around an answer: what of the request it repeats, and what it says of itself.

OpenAI's SDKs require most of these fields. What the client did not say and nobody reported is null.
"""

from typing import Any

import msgspec

from bascule.dialects.base import Body
from bascule.dialects.fields import NULL
from bascule.dialects.openai_responses.names import response_id

_REPEATED = (
    *("instructions", "max_output_tokens", "max_tool_calls", "metadata", "previous_response_id", "prompt_cache_key"),
    *("safety_identifier", "temperature", "top_logprobs", "top_p", "user", "reasoning"),
)
_TEXT = {"format": {"type": "text"}}


class Shell:
    """Renders the object in its states: in progress, complete, incomplete, failed."""

    __slots__ = ("_body", "_keeps", "_repeated", "created_s", "id", "model")

    def __init__(self, body: Body | None, model: str, created_s: int, *, keeps: bool = False) -> None:
        self.id = response_id(None)
        self.model = model
        self.created_s = created_s
        self._body = body or {}
        self._keeps = keeps
        self._repeated: dict[str, msgspec.Raw] | None = None

    def render(
        self,
        status: str,
        output: list[Any],
        *,
        usage: dict[str, Any] | None = None,
        error: dict[str, Any] | None = None,
        incomplete: str | None = None,
    ) -> dict[str, Any]:
        """Ready to be encoded; `output` holds objects or their JSON text."""
        if self._repeated is None:
            self._repeated = _repeated(self._body, self._keeps)
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created_s,
            "status": status,
            "background": False,
            "error": error,
            "incomplete_details": None if incomplete is None else {"reason": incomplete},
            "model": self.model,
            "output": output,
            "usage": usage,
            **self._repeated,
        }


def _repeated(body: Body, keeps: bool) -> dict[str, msgspec.Raw]:
    """What of the request the answer repeats, encoded once for all events that hold it."""
    kept = {name: body.get(name) for name in _REPEATED}
    kept["metadata"] = kept["metadata"] or {}
    kept["parallel_tool_calls"] = body.get("parallel_tool_calls") is not False
    kept["store"] = keeps
    kept["text"] = body.get("text") or _TEXT
    kept["tool_choice"] = body.get("tool_choice") or "auto"
    kept["tools"] = body.get("tools") or []
    kept["truncation"] = body.get("truncation") or "disabled"
    kept["service_tier"] = None
    return {name: NULL if value is None else msgspec.Raw(msgspec.json.encode(value)) for name, value in kept.items()}
