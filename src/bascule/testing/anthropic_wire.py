"""The provider's side of Anthropic's Messages, token counting and models."""

from collections.abc import Iterator
from typing import Any

import orjson

from bascule.testing.answer import Answer, PlannedChoice, joined
from bascule.testing.script import Script
from bascule.testing.steps import Kind, Step
from bascule.testing.usage_fault import spoil_usage

_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def usage_of(answer: Answer, output_tokens: int) -> dict[str, Any]:
    """Usage in wire form when `output_tokens` have been generated. Input is without what the cache gave or took."""
    written = answer.cache_write_5m_tokens + answer.cache_write_1h_tokens
    return {
        "input_tokens": answer.input_tokens - answer.cached_tokens - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": answer.cached_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": answer.cache_write_5m_tokens,
            "ephemeral_1h_input_tokens": answer.cache_write_1h_tokens,
        },
        "output_tokens": output_tokens,
        "service_tier": "standard",
    }


def whole_body(answer: Answer, script: Script, body: dict[str, Any]) -> dict[str, Any]:
    """A message that is not a stream."""
    choice = answer.choices[0]
    content: list[dict[str, Any]] = []
    if choice.thinking:
        content.append({"type": "thinking", "thinking": joined(choice.thinking), "signature": answer.signature})
    if choice.text:
        content.append({"type": "text", "text": joined(choice.text), "citations": None})
    for call in choice.calls:
        # Arguments that the cap cut are no JSON any more; the real API leaves the block with what it has.
        arguments = {} if choice.cut_by_cap and call is choice.calls[-1] else call.arguments
        content.append({"type": "tool_use", "id": call.id, "name": call.name, "input": arguments})
    document = _message(answer, content, stop_reason(choice, script))
    if script.usage_fault != "none":
        document["usage"] = spoil_usage(usage_of(answer, answer.output_tokens), script.usage_fault)
    return document


def _message(answer: Answer, content: list[dict[str, Any]], reason: str | None) -> dict[str, Any]:
    return {
        "id": answer.response_id,
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
    }


def stop_reason(choice: PlannedChoice, script: Script) -> str:
    if script.finish is not None:
        return script.finish
    if choice.cut_by_cap:
        return "max_tokens"
    return "tool_use" if choice.calls else "end_turn"


def stream_steps(answer: Answer, script: Script, body: dict[str, Any]) -> list[Step]:
    """The events of a streamed message. Usage in `message_start` and, cumulative, in `message_delta`."""
    return list(_Stream(answer, script).steps())


class _Stream:
    """Makes events; counts blocks and what has been generated so far."""

    def __init__(self, answer: Answer, script: Script) -> None:
        self._answer = answer
        self._script = script
        self._generated = 0
        self._index = -1

    def steps(self) -> Iterator[Step]:
        answer, script, choice = self._answer, self._script, self._answer.choices[0]
        yield self._start()
        for _ in range(choice.hidden):
            self._generated += 1
            yield Step(kind="content", tokens=1, wait_s=script.gap_s)
        if choice.thinking:
            deltas = [{"type": "thinking_delta", "thinking": token} for token in choice.thinking]
            signature = {"type": "signature_delta", "signature": answer.signature}
            yield from self._block({"type": "thinking", "thinking": "", "signature": ""}, deltas, signature)
        yield _event("ping", {"type": "ping"})
        if choice.text:
            deltas = [{"type": "text_delta", "text": token} for token in choice.text]
            yield from self._block({"type": "text", "text": ""}, deltas)
        for call in choice.calls:
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in call.pieces]
            yield from self._block({"type": "tool_use", "id": call.id, "name": call.name, "input": {}}, deltas)
        last, stop = self._last(choice), _event("message_stop", {"type": "message_stop"}, "terminal")
        if script.usage_fault == "after_done":
            yield from (stop, last)
        else:
            yield from (last, last, stop) if script.usage_fault == "twice" else (last, stop)

    def _start(self) -> Step:
        fault = self._script.usage_fault
        message = _message(self._answer, [], None)
        usage = None
        if fault in {None, "cumulative", "after_done", "twice"}:
            usage = usage_of(self._answer, 1)
        elif fault == "odd_chunk":
            usage = spoil_usage(usage_of(self._answer, 1), "zero")
        elif fault != "none":
            usage = spoil_usage(usage_of(self._answer, 1), fault)
        if fault != "none":
            message["usage"] = usage
        return _event("message_start", {"type": "message_start", "message": message}, usage=usage)

    def _block(
        self, head: dict[str, Any], deltas: list[dict[str, str]], closing: dict[str, str] | None = None
    ) -> Iterator[Step]:
        self._index += 1
        place = {"index": self._index}
        yield _event("content_block_start", {"type": "content_block_start", **place, "content_block": head})
        for delta in deltas:
            self._generated += 1
            document = {"type": "content_block_delta", **place, "delta": delta}
            yield _event("content_block_delta", document, "content", tokens=1, wait_s=self._script.gap_s)
            if self._script.usage_fault == "cumulative":
                yield self._delta_event({"stop_reason": None, "stop_sequence": None}, "other")
        if closing is not None:
            yield _event("content_block_delta", {"type": "content_block_delta", **place, "delta": closing})
        yield _event("content_block_stop", {"type": "content_block_stop", **place})

    def _last(self, choice: PlannedChoice) -> Step:
        return self._delta_event({"stop_reason": stop_reason(choice, self._script), "stop_sequence": None}, "finish")

    def _delta_event(self, delta: dict[str, Any], kind: Kind) -> Step:
        usage = None
        document: dict[str, Any] = {"type": "message_delta", "delta": delta}
        if self._script.usage_fault != "none":
            told = usage_of(self._answer, self._generated)
            told.pop("service_tier")
            usage = spoil_usage(told, self._script.usage_fault)
            document["usage"] = usage
        return _event("message_delta", document, kind, usage=usage)


def _event(
    name: str,
    document: dict[str, Any],
    kind: Kind = "other",
    *,
    tokens: int = 0,
    wait_s: float = 0.0,
    usage: Any = None,
) -> Step:
    data = b"event: " + name.encode() + b"\ndata: " + orjson.dumps(document) + b"\n\n"
    return Step(data=data, kind=kind, tokens=tokens, wait_s=wait_s, usage=usage)


def error_body(status: int, script: Script) -> dict[str, Any]:
    kind = _ERROR_TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
    message = script.error_message or f"scripted error {status}"
    return {"type": "error", "error": {"type": script.error_type or kind, "message": message}}


def error_event(script: Script) -> bytes:
    """An error inside a stream that began with 200."""
    document = error_body(script.status if script.status >= 400 else 529, script)
    return b"event: error\ndata: " + orjson.dumps(document) + b"\n\n"


def models_body(names: tuple[str, ...]) -> dict[str, Any]:
    data = [{"id": name, "type": "model", "display_name": name, "created_at": "2026-01-01T00:00:00Z"} for name in names]
    return {
        "data": data,
        "has_more": False,
        "first_id": names[0] if names else None,
        "last_id": names[-1] if names else None,
    }
