"""The provider's side of Gemini's `generateContent`, token counting, embeddings and models."""

from collections.abc import Iterator
from typing import Any

import orjson

from bascule.testing.answer import Answer, PlannedChoice, joined
from bascule.testing.prompt import input_tokens
from bascule.testing.script import Script
from bascule.testing.steps import Kind, Step
from bascule.testing.usage_fault import spoil_usage

_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_EMBEDDING_SIZE = 8


def usage_of(answer: Answer, output_tokens: int) -> dict[str, Any]:
    """Usage in wire form when `output_tokens` of the answer have been generated, thoughts first."""
    thoughts = min(answer.reasoning_tokens, output_tokens)
    usage: dict[str, Any] = {
        "promptTokenCount": answer.input_tokens,
        "candidatesTokenCount": output_tokens - thoughts,
        "totalTokenCount": answer.input_tokens + output_tokens,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": answer.input_tokens}],
    }
    if answer.cached_tokens:
        usage["cachedContentTokenCount"] = answer.cached_tokens
    if answer.reasoning_tokens:
        usage["thoughtsTokenCount"] = thoughts
    return usage


def whole_body(answer: Answer, script: Script, body: dict[str, Any]) -> dict[str, Any]:
    """A response that is not a stream."""
    document: dict[str, Any] = {
        "candidates": [
            {
                "content": {"parts": _parts(answer, choice) or [{"text": ""}], "role": "model"},
                "finishReason": finish_reason(choice, script),
                "index": index,
            }
            for index, choice in enumerate(answer.choices)
        ],
        "modelVersion": answer.model,
        "responseId": answer.response_id,
    }
    if script.usage_fault != "none":
        document["usageMetadata"] = spoil_usage(usage_of(answer, answer.output_tokens), script.usage_fault)
    return document


def _parts(answer: Answer, choice: PlannedChoice) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    if choice.thinking:
        parts.append({"text": joined(choice.thinking), "thought": True})
    if choice.text:
        parts.append({"text": joined(choice.text)})
    return [*parts, *_call_parts(answer, choice)]


def _call_parts(answer: Answer, choice: PlannedChoice) -> list[dict[str, Any]]:
    """The calls, the first of them signed. One that the cap cut is not made at all."""
    calls = choice.calls[:-1] if choice.cut_by_cap else choice.calls
    parts: list[dict[str, Any]] = []
    for call in calls:
        part: dict[str, Any] = {"functionCall": {"id": call.id, "name": call.name, "args": call.arguments}}
        parts.append(part if parts else {**part, "thoughtSignature": answer.signature})
    return parts


def finish_reason(choice: PlannedChoice, script: Script) -> str:
    if script.finish is not None:
        return script.finish
    return "MAX_TOKENS" if choice.cut_by_cap else "STOP"


def stream_steps(answer: Answer, script: Script, body: dict[str, Any]) -> list[Step]:
    """The events of a stream, candidate by candidate, each token in an event of its own. No event is terminal."""
    return list(_Stream(answer, script).steps())


class _Stream:
    """Makes events; counts what has been generated so far."""

    def __init__(self, answer: Answer, script: Script) -> None:
        self._answer = answer
        self._script = script
        self._generated = 0

    def steps(self) -> Iterator[Step]:
        last = len(self._answer.choices) - 1
        for index, choice in enumerate(self._answer.choices):
            for _ in range(choice.hidden):
                self._generated += 1
                yield Step(kind="content", tokens=1, wait_s=self._script.gap_s)
            for token in choice.thinking:
                yield self._content(index, {"text": token, "thought": True})
            for token in choice.text:
                yield self._content(index, {"text": token})
            called = sum(len(call.pieces) for call in choice.calls)
            if parts := _call_parts(self._answer, choice):
                yield self._content(index, *parts, tokens=called)
            elif called:
                self._generated += called
                yield Step(kind="content", tokens=called)
            yield self._finish(index, choice, is_last=index == last)
        if self._script.usage_fault in {"after_done", "twice"}:
            yield self._event([], "usage", usage=self._usage())

    def _content(self, index: int, *parts: dict[str, Any], tokens: int = 1) -> Step:
        self._generated += tokens
        told = self._usage() if self._script.usage_fault == "cumulative" else None
        return self._event([_candidate(index, *parts)], "content", tokens=tokens, usage=told)

    def _finish(self, index: int, choice: PlannedChoice, *, is_last: bool) -> Step:
        candidate = _candidate(index, {"text": ""})
        candidate["finishReason"] = finish_reason(choice, self._script)
        is_told = is_last and self._script.usage_fault not in {"none", "after_done"}
        return self._event([candidate], "finish", usage=self._usage() if is_told else None)

    def _usage(self) -> Any:
        generated = self._generated if self._script.usage_fault == "cumulative" else self._answer.output_tokens
        return spoil_usage(usage_of(self._answer, generated), self._script.usage_fault)

    def _event(self, candidates: list[dict[str, Any]], kind: Kind, *, tokens: int = 0, usage: Any = None) -> Step:
        document: dict[str, Any] = {"candidates": candidates} if candidates else {}
        if usage is not None or (kind == "finish" and self._script.usage_fault == "null"):
            document["usageMetadata"] = usage
        document |= {"modelVersion": self._answer.model, "responseId": self._answer.response_id}
        data = b"data: " + orjson.dumps(document) + b"\r\n\r\n"
        wait_s = self._script.gap_s if kind == "content" else 0.0
        return Step(data=data, kind=kind, tokens=tokens, wait_s=wait_s, usage=usage)


def _candidate(index: int, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"parts": list(parts), "role": "model"}, "index": index}


def error_body(status: int, script: Script) -> dict[str, Any]:
    error: dict[str, Any] = {
        "code": status,
        "message": script.error_message or f"scripted error {status}",
        "status": script.error_type or _STATUS.get(status, "INTERNAL" if status >= 500 else "INVALID_ARGUMENT"),
    }
    if script.error_code is not None:
        info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": script.error_code}
        error["details"] = [info]
    return {"error": error}


def error_event(script: Script) -> bytes:
    """An error inside a stream that began with 200."""
    return b"data: " + orjson.dumps(error_body(script.status if script.status >= 400 else 503, script)) + b"\r\n\r\n"


def count_body(body: dict[str, Any], script: Script) -> dict[str, Any]:
    """The count of a request in the shape that `prompt` reads."""
    counted = script.input_tokens
    return {"totalTokens": input_tokens(body, script.input_tokens_per_byte) if counted is None else counted}


def embeddings_body(body: dict[str, Any]) -> dict[str, Any]:
    """Embeddings of made-up numbers for each of `requests`, and their usage."""
    requests = body.get("requests") or [body]
    vectors = []
    for request in requests:
        size = request.get("outputDimensionality") or _EMBEDDING_SIZE
        vectors.append({"values": [round(1.0 / (place + 2), 6) for place in range(int(size))]})
    texts = [part.get("text", "") for request in requests for part in request.get("content", {}).get("parts", ())]
    tokens = input_tokens({"input": texts})
    return {
        "embeddings": vectors,
        "usageMetadata": {"promptTokenCount": tokens, "totalTokenCount": tokens},
    }


def models_body(names: tuple[str, ...]) -> dict[str, Any]:
    methods = ["generateContent", "countTokens"]
    return {
        "models": [
            {"name": f"models/{name}", "displayName": name, "supportedGenerationMethods": methods} for name in names
        ]
    }
