"""What clients and providers say to each other, as small as it can be."""

import json
from typing import Any

from bascule.testing.transport import Reply, stream, whole

HI = [{"role": "user", "content": "hi"}]


def chat(model: str = "small", **more: Any) -> dict[str, Any]:
    """A Chat Completions request with a cap of 100 tokens; a field of None is left out."""
    return given({"model": model, "messages": HI, "max_tokens": 100, **more})


def streamed(model: str = "small", **more: Any) -> dict[str, Any]:
    return chat(model, stream=True, **more)


def messages(model: str = "opus", **more: Any) -> dict[str, Any]:
    """A Messages request."""
    return given({"model": model, "messages": HI, "max_tokens": 100, **more})


def given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def usage(tokens_in: int, tokens_out: int, **more: Any) -> dict[str, Any]:
    return {
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
        **more,
    }


def completion(text: str = "hello", tokens_in: int = 10, tokens_out: int = 5, **more: Any) -> dict[str, Any]:
    """A whole chat completion: by default 10 tokens in and 5 out, which costs 60,000 nano-USD at `small`."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "small-up-2026",
        "choices": [choice],
        "usage": usage(tokens_in, tokens_out),
        **more,
    }


def message(text: str = "hello", tokens_in: int = 10, tokens_out: int = 5, **more: Any) -> dict[str, Any]:
    """A whole Anthropic message."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "opus-up-2026",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": tokens_in, "output_tokens": tokens_out},
        **more,
    }


def sse(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def chunk(delta: dict[str, Any] | None, finish: str | None = None, **more: Any) -> bytes:
    """One chunk of a stream; a delta of None has no choices."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return sse(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "small-up-2026",
            "choices": choices,
            **more,
        }
    )


ROLE = chunk({"role": "assistant", "content": ""})
STOP = chunk({}, "stop")
DONE = b"data: [DONE]\n\n"


def text(content: str) -> bytes:
    return chunk({"content": content})


def used(tokens_in: int = 10, tokens_out: int = 5) -> bytes:
    return chunk(None, usage=usage(tokens_in, tokens_out))


def in_band_error(**error: Any) -> bytes:
    return sse({"error": {"message": "boom", "type": "server_error", "code": None, **error}})


def a_stream(*words: str) -> Reply:
    """A whole, well-behaved stream of 10 tokens in and 5 out."""
    return stream(ROLE, *[text(word) for word in words or ("hel", "lo")], STOP, used(), DONE)


def named(event: str, **fields: Any) -> bytes:
    return f"event: {event}\ndata: {json.dumps({'type': event, **fields})}\n\n".encode()


def message_events(*words: str, tokens_in: int = 10, tokens_out: int = 5) -> list[bytes]:
    """A whole Messages stream."""
    begun = {**message(), "content": [], "stop_reason": None, "usage": {"input_tokens": tokens_in, "output_tokens": 1}}
    return [
        named("message_start", message=begun),
        named("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        *[named("content_block_delta", index=0, delta={"type": "text_delta", "text": word}) for word in words],
        named("content_block_stop", index=0),
        named(
            "message_delta",
            delta={"stop_reason": "end_turn", "stop_sequence": None},
            usage={"output_tokens": tokens_out},
        ),
        named("message_stop"),
    ]


def openai_error(status: int, message: str = "no", code: str | None = None, **headers: str) -> Reply:
    return whole({"error": {"message": message, "type": "error", "param": None, "code": code}}, status, **headers)


def answered(text: str = "hello", **more: Any) -> Reply:
    return whole(completion(text, **more))


def texts(data: list[Any]) -> str:
    """The text that a streamed chat completion came to."""
    return "".join(
        choice["delta"].get("content") or ""
        for event in data
        if isinstance(event, dict)
        for choice in event.get("choices", ())
    )
