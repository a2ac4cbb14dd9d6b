"""Every client dialect and every provider dialect: requests, providers' whole answers, and how to read what came."""

import json
from typing import Any

from msgspec.structs import replace
from tests.playbooks.engine.wire import HI

from bascule.gateway.surfaces import Surface
from bascule.testing.exchange import ListExchange
from bascule.testing.response import plan_response
from bascule.testing.script import Dialect, ProviderRequest, Script
from bascule.testing.wires import WIRES

CLIENTS: tuple[Surface, ...] = ("openai_chat", "openai_responses", "anthropic_messages", "gemini")
PROVIDERS: dict[str, Dialect] = {
    "openai_chat": "openai",
    "openai_responses": "responses",
    "anthropic_messages": "anthropic",
    "gemini": "gemini",
}
"""Their dialect in the configuration, and what the scripted upstream calls it."""
PAIRS = [(client, provider) for client in CLIENTS for provider in PROVIDERS]

PATHS = {
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "anthropic_messages": "/v1/messages",
    "gemini": "/v1beta/models/up:streamGenerateContent",
}
ENDS = {
    "openai_chat": b"data: [DONE]",
    "openai_responses": b"event: response.completed",
    "anthropic_messages": b"event: message_stop",
    "gemini": b'"finishReason"',
}
"""Where a stream of the dialect begins to say that it is complete."""


def config(more: str = "", *, hosts: tuple[str, ...] = ("first", "second")) -> str:
    """A provider per dialect and host, a model of each, and a route per pair of them: `first-gemini`, and so on."""
    providers, models, routes = [], [], []
    for dialect in PROVIDERS:
        for host in hosts:
            name = f"{host}-{dialect}"
            base = {"openai_chat": "/v1", "openai_responses": "/v1", "gemini": "/v1beta"}.get(dialect, "")
            url = f"https://{host}.test{base}"
            providers.append(f'  {name}: {{dialect: {dialect}, base_url: "{url}", api_key: none}}')
            price = 1 if host == hosts[0] else 100  # far enough apart that no estimate turns them round
            models.append(
                f"  {name}-model: {{endpoints: [{{provider: {name}, model: up}}], "
                f"price: {{input: {price}, output: {10 * price}}}, max_output: 4000}}"
            )
        routes.append(f"  over-{dialect}: {{candidates: [{hosts[0]}-{dialect}-model, {hosts[-1]}-{dialect}-model]}}")
    return "\n".join(["data_dir: data", "providers:", *providers, "models:", *models, "routes:", *routes, more])


def ask(client: Surface, model: str, *, stream: bool = True) -> dict[str, Any]:
    """A request, as `World.exchange` takes it."""
    match client:
        case "openai_responses":
            body: dict[str, Any] = {"model": model, "input": "hi", "max_output_tokens": 500, "stream": stream}
        case "gemini":
            contents = [{"role": "user", "parts": [{"text": "hi"}]}]
            return {
                "body": {"contents": contents, "generationConfig": {"maxOutputTokens": 500}},
                "surface": client,
                "model": model,
                "stream": stream,
                "query": "alt=sse" if stream else "",
                "key": None,
            }
        case _:
            body = {"model": model, "messages": HI, "max_tokens": 500, "stream": stream}
    return {"body": body, "surface": client, "key": None}


def provider_bytes(provider: str, script: Script, *, stream: bool = True) -> list[bytes]:
    """What a provider of this dialect sends as its body, event by event."""
    dialect = PROVIDERS[provider]
    body: dict[str, Any] = {"model": "up", "messages": HI, "max_tokens": 500, "stream": stream}
    if provider == "openai_chat" and stream:
        body["stream_options"] = {"include_usage": True}
    if provider == "openai_responses":
        body = {"model": "up", "input": "hi", "max_output_tokens": 500, "stream": stream}
    path = PATHS[provider] if stream else PATHS[provider].replace("streamGenerate", "generate")
    if provider == "gemini":
        contents = [{"role": "user", "parts": [{"text": "hi"}]}]
        body = {"contents": contents, "generationConfig": {"maxOutputTokens": 500}}
    request = ProviderRequest(
        number=1, dialect=dialect, path=path, model="up", stream=stream, headers={}, body=body, raw_body=body
    )
    response = plan_response(request, script, 0, "req_1", "").response
    assert response.status == 200, response
    return [step.data for step in response.steps if step.data]


def error_event(provider: str) -> bytes:
    found: bytes = WIRES[PROVIDERS[provider]].error_event(replace(Script(), error_message="boom"))
    return found


def events(answer: ListExchange) -> list[Any]:
    """The `data` of every event, decoded where it is JSON. Lines end at LF or CRLF and nowhere else."""
    found = []
    for line in answer.body.replace(b"\r\n", b"\n").split(b"\n"):
        if line.startswith(b"data:"):
            data = line[5:].strip()
            found.append(json.loads(data) if data.startswith(b"{") else data.decode())
    return found


def text_of(client: Surface, answer: ListExchange) -> str:
    """All text that a client of the dialect has read."""
    return "".join(_texts(client, event) for event in events(answer) if isinstance(event, dict))


def _texts(client: Surface, event: dict[str, Any]) -> str:
    match client:
        case "openai_chat":
            return "".join(choice["delta"].get("content") or "" for choice in event.get("choices", ()))
        case "openai_responses":
            return str(event["delta"]) if event.get("type") == "response.output_text.delta" else ""
        case "anthropic_messages":
            delta = event.get("delta", {}) if event.get("type") == "content_block_delta" else {}
            return str(delta.get("text", ""))
        case _:
            parts = [part for one in event.get("candidates", ()) for part in one.get("content", {}).get("parts", ())]
            return "".join(part.get("text", "") for part in parts)


def ends_of(client: Surface, answer: ListExchange) -> int:
    """How often the answer says that it is complete."""
    count = 0
    for event in events(answer):
        match client:
            case "openai_chat":
                count += event == "[DONE]"
            case "openai_responses":
                count += isinstance(event, dict) and event.get("type") in ("response.completed", "response.incomplete")
            case "anthropic_messages":
                count += isinstance(event, dict) and event.get("type") == "message_stop"
            case _:
                count += any(one.get("finishReason") for one in event.get("candidates", ()))
    return count


def tells_of_an_error(answer: ListExchange) -> bool:
    """Whether the last event is an error, or the status is."""
    if answer.status != 200:
        return True
    last = events(answer)[-1] if events(answer) else None
    if not isinstance(last, dict):
        return False
    return "error" in last or last.get("type") in ("error", "response.failed")
