"""The provider's side of OpenAI's Chat Completions, embeddings and models."""

import base64
import struct
from collections.abc import Iterator
from typing import Any

import orjson

from bascule.testing.answer import Answer, PlannedChoice, joined
from bascule.testing.prompt import input_tokens
from bascule.testing.script import Script
from bascule.testing.steps import Kind, Step
from bascule.testing.usage_fault import spoil_usage

CREATED = 1_767_225_600  # 2026-01-01: an answer is the same whenever it is given
DONE = b"data: [DONE]\n\n"
_EMBEDDING_SIZE = 8

_ERROR_TYPES = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}


def usage_of(answer: Answer, output_tokens: int) -> dict[str, Any]:
    """Usage in wire form when `output_tokens` of the answer have been generated, reasoning first."""
    prompt = {"cached_tokens": answer.cached_tokens, "audio_tokens": 0}
    if answer.cache_write_5m_tokens:  # OpenRouter's word; where writing is free nobody tells of it
        prompt["cache_write_tokens"] = answer.cache_write_5m_tokens
    return {
        "prompt_tokens": answer.input_tokens,
        "completion_tokens": output_tokens,
        "total_tokens": answer.input_tokens + output_tokens,
        "prompt_tokens_details": prompt,
        "completion_tokens_details": {
            "reasoning_tokens": min(answer.reasoning_tokens, output_tokens),
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def whole_body(answer: Answer, script: Script, body: dict[str, Any]) -> dict[str, Any]:
    """A chat completion that is not a stream."""
    document: dict[str, Any] = {
        "id": answer.response_id,
        "object": "chat.completion",
        "created": CREATED,
        "model": answer.model,
        "choices": [
            _whole_choice(index, choice, script, bool(body.get("logprobs")))
            for index, choice in enumerate(answer.choices)
        ],
        "service_tier": "default",
        "system_fingerprint": "fp_scripted",
    }
    if script.usage_fault != "none":
        document["usage"] = spoil_usage(usage_of(answer, answer.output_tokens), script.usage_fault)
    return document


def _whole_choice(index: int, choice: PlannedChoice, script: Script, logprobs: bool) -> dict[str, Any]:
    text = joined(choice.text)
    message: dict[str, Any] = {"role": "assistant", "content": text or None, "refusal": None, "annotations": []}
    if choice.thinking:
        message["reasoning_content"] = joined(choice.thinking)
    if choice.calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": joined(call.pieces)}}
            for call in choice.calls
        ]
    elif not text:
        message["content"] = ""
    return {
        "index": index,
        "message": message,
        "logprobs": _logprobs(choice.text) if logprobs else None,
        "finish_reason": finish_reason(choice, script),
    }


def finish_reason(choice: PlannedChoice, script: Script) -> str:
    if script.finish is not None:
        return script.finish
    if choice.cut_by_cap:
        return "length"
    return "tool_calls" if choice.calls else "stop"


def _logprobs(tokens: tuple[str, ...]) -> dict[str, Any]:
    return {
        "content": [
            {"token": token, "logprob": -0.25, "bytes": list(token.encode()), "top_logprobs": []} for token in tokens
        ],
        "refusal": None,
    }


def stream_steps(answer: Answer, script: Script, body: dict[str, Any]) -> list[Step]:
    """The events of a streamed chat completion, choice by choice, each token in an event of its own."""
    options = body.get("stream_options")
    asked = isinstance(options, dict) and bool(options.get("include_usage"))
    stream = _Stream(answer, script, asked, bool(body.get("logprobs")))
    steps = [step for index, choice in enumerate(answer.choices) for step in stream.choice_steps(index, choice)]
    done = Step(data=DONE, kind="terminal")
    if not asked or script.usage_fault in {"none", "odd_chunk"}:
        return [*steps, done]
    usage = stream.event([], "usage", usage=stream.final_usage())
    if script.usage_fault == "after_done":
        return [*steps, done, usage]
    return [*steps, usage, usage, done] if script.usage_fault == "twice" else [*steps, usage, done]


class _Stream:
    """Makes events; counts what has been generated so far, for vendors that report usage on every chunk."""

    def __init__(self, answer: Answer, script: Script, asked: bool, logprobs: bool) -> None:
        self._answer = answer
        self._script = script
        self._asked = asked
        self._logprobs = logprobs
        self._generated = 0

    def final_usage(self) -> Any:
        return spoil_usage(usage_of(self._answer, self._answer.output_tokens), self._script.usage_fault)

    def choice_steps(self, index: int, choice: PlannedChoice) -> Iterator[Step]:
        yield self._delta(index, {"role": "assistant", "content": "", "refusal": None}, 0, kind="other")
        for _ in range(choice.hidden):
            self._generated += 1
            yield Step(kind="content", tokens=1, wait_s=self._script.gap_s)
        for token in choice.thinking:
            yield self._delta(index, {"reasoning_content": token}, 1)
        for token in choice.text:
            yield self._delta(index, {"content": token}, 1, logprobs=(token,))
        for place, call in enumerate(choice.calls):
            head = {"index": place, "id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
            yield self._delta(index, {"tool_calls": [head]}, 0)
            for piece in call.pieces:
                yield self._delta(index, {"tool_calls": [{"index": place, "function": {"arguments": piece}}]}, 1)
        yield self._finish(index, choice)

    def _delta(
        self, index: int, delta: dict[str, Any], tokens: int, *, kind: Kind = "content", logprobs: tuple[str, ...] = ()
    ) -> Step:
        self._generated += tokens
        choice: dict[str, Any] = {"index": index, "delta": delta, "logprobs": None, "finish_reason": None}
        if self._logprobs and logprobs:
            choice["logprobs"] = _logprobs(logprobs)
        usage = None
        if self._script.usage_fault == "cumulative" and tokens:
            usage = usage_of(self._answer, self._generated)
        return self.event([choice], kind, usage=usage, tokens=tokens)

    def _finish(self, index: int, choice: PlannedChoice) -> Step:
        last = {"index": index, "delta": {}, "logprobs": None, "finish_reason": finish_reason(choice, self._script)}
        odd = self._script.usage_fault == "odd_chunk" and self._asked and index == len(self._answer.choices) - 1
        return self.event([last], "finish", usage=self.final_usage() if odd else None)

    def event(self, choices: list[Any], kind: Kind, *, usage: Any = None, tokens: int = 0) -> Step:
        document: dict[str, Any] = {
            "id": self._answer.response_id,
            "object": "chat.completion.chunk",
            "created": CREATED,
            "model": self._answer.model,
            "service_tier": "default",
            "system_fingerprint": "fp_scripted",
            "choices": choices,
        }
        if self._asked or usage is not None:
            document["usage"] = usage
        data = b"data: " + orjson.dumps(document) + b"\n\n"
        return Step(data=data, kind=kind, tokens=tokens, usage=usage, wait_s=self._script.gap_s if tokens else 0.0)


def error_body(status: int, script: Script) -> dict[str, Any]:
    kind, code = _ERROR_TYPES.get(status, ("server_error" if status >= 500 else "invalid_request_error", None))
    return {
        "error": {
            "message": script.error_message or f"scripted error {status}",
            "type": script.error_type or kind,
            "param": None,
            "code": script.error_code or code,
        }
    }


def error_event(script: Script) -> bytes:
    """An error inside a stream that began with 200."""
    document = error_body(script.status if script.status >= 400 else 500, script)
    return b"data: " + orjson.dumps(document) + b"\n\n"


def embeddings_body(body: dict[str, Any], model: str) -> dict[str, Any]:
    """Embeddings of made-up numbers, as base64 or floats as asked, and their usage."""
    given = body.get("input")
    is_list = isinstance(given, list) and not (given and isinstance(given[0], int))
    count = len(given) if isinstance(given, list) and is_list else 1
    size = body.get("dimensions") or _EMBEDDING_SIZE
    vector = [round(1.0 / (place + 2), 6) for place in range(int(size))]
    shown: Any = vector
    if body.get("encoding_format") == "base64":
        shown = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    tokens = input_tokens(body)
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": index, "embedding": shown} for index in range(count)],
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def models_body(names: tuple[str, ...]) -> dict[str, Any]:
    data = [{"id": name, "object": "model", "created": CREATED, "owned_by": "scripted"} for name in names]
    return {"object": "list", "data": data}
