"""From a request and its script to a response, before any fault."""

from typing import Any

import orjson
from msgspec import Struct
from msgspec.structs import replace

from bascule.testing import bedrock_wire, gemini_prompt, gemini_wire, openai_wire
from bascule.testing.answer import Answer, plan_answer
from bascule.testing.faults import spoil
from bascule.testing.prompt import input_tokens
from bascule.testing.script import ProviderRequest, Script
from bascule.testing.steps import Response, Step
from bascule.testing.validate import complaint, lacks_cap
from bascule.testing.wires import WIRES, own_complaint

_HTML_ERROR = b"<html><head><title>%d</title></head><body>upstream error</body></html>"


class Planned(Struct, frozen=True, kw_only=True):
    """A response and what it bills if played to its end."""

    response: Response
    answer: Answer | None = None
    """None where no text is generated (errors, embeddings, counts)."""
    usage: dict[str, Any] | None = None
    """Of an answer without text that bills; None where nothing is billed."""


def plan_response(request: ProviderRequest, script: Script, seed: int, request_id: str, trap: str) -> Planned:
    """What to play for `request`. Errors that the real API would find come before the script's own."""
    wire = WIRES[request.dialect]
    headers = _headers(request, script, request_id)
    counts_only = request.path.endswith(("/count_tokens", ":countTokens"))
    is_embedding = request.path.endswith(("/embeddings", "mbedContent", "mbedContents"))
    if not is_embedding:
        wrong = complaint(request.dialect, request.body) or lacks_cap(request.dialect, request.body, counts_only)
        wrong = wrong or own_complaint(request.dialect, request.raw_body)
        if wrong is not None:
            return Planned(response=_error(wire, 400, headers, Script(error_message=wrong)))
    if script.status >= 300 and script.fault not in {"error_first", "error_mid"}:
        return Planned(response=_error(wire, script.status, headers, script))
    error_event = wire.error_event(script)
    if counts_only or is_embedding:
        document = _without_text(request, script, counts_only)
        sound = _whole(headers, orjson.dumps(document), script, tokens=0, usage=_usage(document))
        return Planned(response=spoil(sound, script, error_event, trap), usage=_usage(document))
    asked = request
    if request.dialect == "gemini":
        asked = replace(request, body=gemini_prompt.as_chat(request.body))
    answer = plan_answer(asked, script, seed)
    if request.stream:
        kind = bedrock_wire.EVENT_STREAM if request.dialect == "bedrock" else "text/event-stream; charset=utf-8"
        sound = _stream(headers, wire.stream_steps(answer, script, request.body), script, kind)
    else:
        document = wire.whole_body(answer, script, request.body)
        sound = _whole(headers, orjson.dumps(document), script, answer.output_tokens, _usage(document))
    return Planned(response=spoil(sound, script, error_event, trap), answer=answer)


def models_response(request: ProviderRequest, names: tuple[str, ...], request_id: str) -> Response:
    wire = WIRES[request.dialect]
    headers = _headers(request, Script(), request_id)
    return _whole(headers, orjson.dumps(wire.models_body(names)), Script(), tokens=0, usage=None)


def _usage(document: dict[str, Any]) -> Any:
    return document.get("usage", document.get("usageMetadata"))


def _headers(request: ProviderRequest, script: Script, request_id: str) -> tuple[tuple[str, str], ...]:
    name = "request-id" if request.dialect == "anthropic" else "x-request-id"
    headers = [("content-type", "application/json"), (name, request_id), *script.headers.items()]
    if script.retry_after is not None:
        headers.append(("retry-after", script.retry_after))
    return tuple(headers)


def _error(wire: Any, status: int, headers: tuple[tuple[str, str], ...], script: Script) -> Response:
    """An error status in the dialect's form; 502 as the HTML page that an edge makes of it."""
    if status == 502:
        html = (("content-type", "text/html"), *headers[1:])
        return Response(status=status, headers=html, steps=(Step(data=_HTML_ERROR % status, wait_s=script.ttft_s),))
    if wire is bedrock_wire:
        headers += bedrock_wire.error_headers(status, script)
    data = orjson.dumps(wire.error_body(status, script))
    return Response(status=status, headers=headers, steps=(Step(data=data, wait_s=script.ttft_s),))


def _without_text(request: ProviderRequest, script: Script, counts_only: bool) -> dict[str, Any]:
    """A count, or embeddings."""
    if request.dialect == "gemini":
        if counts_only:
            return gemini_wire.count_body(gemini_prompt.as_chat(request.body), script)
        return gemini_wire.embeddings_body(request.body)
    return _count(request, script) if counts_only else openai_wire.embeddings_body(request.body, request.model)


def _count(request: ProviderRequest, script: Script) -> dict[str, Any]:
    counted = script.input_tokens
    return {"input_tokens": input_tokens(request.body, script.input_tokens_per_byte) if counted is None else counted}


def _whole(headers: tuple[tuple[str, str], ...], data: bytes, script: Script, tokens: int, usage: object) -> Response:
    """One body. Where tokens take time, each is a step without bytes: a caller who leaves is billed for some."""
    if script.gap_s > 0 and tokens:
        waits = tuple(Step(tokens=1, wait_s=script.gap_s) for _ in range(tokens))
        steps = (Step(wait_s=script.ttft_s), *waits, Step(data=data, usage=usage))
    else:
        steps = (Step(wait_s=script.ttft_s), Step(tokens=tokens), Step(data=data, usage=usage))
    return Response(status=200, headers=headers, steps=steps)


def _stream(headers: tuple[tuple[str, str], ...], events: list[Step], script: Script, kind: str) -> Response:
    typed = (("content-type", kind), ("cache-control", "no-cache"), *headers[1:])
    return Response(status=200, headers=typed, steps=(Step(wait_s=script.ttft_s), *events), chunked=True)
