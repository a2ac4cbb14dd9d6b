"""What clients send on each surface, and how an answer there looks when it is whole."""

from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct

from bascule.testing.chaos.client import Seen

Surface = Literal["chat", "messages", "responses", "gemini"]
Body = dict[str, Any]
Turn = tuple[Literal["user", "assistant"], str]


class Asked(Struct, frozen=True, kw_only=True):
    """One request of a client, before it is in a dialect."""

    model: str
    turns: tuple[Turn, ...]
    stream: bool
    max_tokens: int | None = None
    include_usage: bool = False
    """Whether a Chat client wants the usage of its stream."""
    choices: int = 1


def written(surface: Surface, asked: Asked) -> tuple[str, Body]:
    """Path and body."""
    return _WRITE[surface](asked)


def _chat(asked: Asked) -> tuple[str, Body]:
    body: Body = {"model": asked.model, "stream": asked.stream, "messages": _messages(asked)}
    if asked.max_tokens is not None:
        body["max_tokens"] = asked.max_tokens
    if asked.include_usage and asked.stream:
        body["stream_options"] = {"include_usage": True}
    if asked.choices > 1:
        body["n"] = asked.choices
    return "/v1/chat/completions", body


def _messages(asked: Asked) -> list[dict[str, str]]:
    return [{"role": role, "content": text} for role, text in asked.turns]


def _anthropic(asked: Asked) -> tuple[str, Body]:
    cap = 1000 if asked.max_tokens is None else asked.max_tokens  # the dialect insists on one
    return "/v1/messages", {
        "model": asked.model,
        "stream": asked.stream,
        "messages": _messages(asked),
        "max_tokens": cap,
    }


def _responses(asked: Asked) -> tuple[str, Body]:
    body: Body = {"model": asked.model, "stream": asked.stream, "input": _messages(asked)}
    if asked.max_tokens is not None:
        body["max_output_tokens"] = asked.max_tokens
    return "/v1/responses", body


def _gemini(asked: Asked) -> tuple[str, Body]:
    verb = "streamGenerateContent?alt=sse" if asked.stream else "generateContent"
    body: Body = {
        "contents": [
            {"role": "user" if role == "user" else "model", "parts": [{"text": text}]} for role, text in asked.turns
        ]
    }
    if asked.max_tokens is not None:
        body["generationConfig"] = {"maxOutputTokens": asked.max_tokens}
    return f"/v1beta/models/{asked.model}:{verb}", body


_WRITE: dict[Surface, Callable[[Asked], tuple[str, Body]]] = {
    "chat": _chat,
    "messages": _anthropic,
    "responses": _responses,
    "gemini": _gemini,
}
SURFACES: tuple[Surface, ...] = ("chat", "messages", "responses", "gemini")


def looks_complete(surface: Surface, seen: Seen) -> bool:
    """What a client would take for a whole answer."""
    if seen.status != 200:
        return False
    if seen.headers["content-type"].startswith("text/event-stream"):
        last = _last_event(seen)
        # Gemini has no terminal event: whoever has a finish reason and a clean end has all.
        whole = b'"finishReason":"' in seen.body if surface == "gemini" else _WHOLE[surface](last)
        return whole and b'"error":{' not in last
    return b'"error":{' not in seen.body


_WHOLE: dict[Literal["chat", "messages", "responses"], Callable[[bytes], bool]] = {
    "chat": lambda event: event == b"data: [DONE]",
    "messages": lambda event: event.endswith(b'data: {"type":"message_stop"}'),
    "responses": lambda event: b'"type":"response.completed"' in event or b'"type":"response.incomplete"' in event,
}


def tells_an_error(seen: Seen) -> bool:
    """An error status, or an error event at the end of a stream."""
    return seen.status != 200 or b'"error":{' in _last_event(seen)


def visible_tokens(seen: Seen) -> int:
    """Tokens of a streamed answer that reached the client: the scripted provider sends each in a delta of its own."""
    marks = (b'"content":" ', b'"type":"text_delta","text":" ', b'"delta":" ', b'"parts":[{"text":" ')
    return sum([seen.body.count(mark) for mark in marks])


def _last_event(seen: Seen) -> bytes:
    """With plain line ends: what a provider sends is passed on as it is."""
    body = seen.body.replace(b"\r\n", b"\n").rstrip()
    events = [event for event in body.split(b"\n\n") if b"data:" in event]
    return events[-1].rstrip() if events else b""
