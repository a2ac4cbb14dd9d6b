"""Canonical events as a Chat Completions stream."""

from typing import Any

import msgspec

from bascule.dialects.names import call_id, signed_call_id
from bascule.dialects.openai_chat.errors import error_event
from bascule.dialects.openai_chat.render_response import (
    completion_id,
    encrypted_detail,
    finish_reason,
    reasoning_detail,
    render_usage,
)
from bascule.dialects.sse import data_event
from bascule.model.errors import Refusal
from bascule.model.events import (
    Event,
    Finished,
    RedactedThinkingSeen,
    RefusalDelta,
    Started,
    TextDelta,
    ThinkingDelta,
    ThinkingSigned,
    ToolArgumentsDelta,
    ToolCallStarted,
)
from bascule.model.usage import Usage

_DONE = b"data: [DONE]\n\n"
_TEXT = b'data: %b"choices":[{"index":%d,"delta":{"content":%b},"logprobs":null,"finish_reason":null}]}\n\n'
_encode = msgspec.json.Encoder().encode


class ChunkWriter:
    """Writes chunks. The finish, the usage and `[DONE]` come with `close`."""

    __slots__ = (
        "_called",
        "_created_s",
        "_custom",
        "_finishes",
        "_head",
        "_model",
        "_names",
        "_opened",
        "_wants_usage",
        "content",
    )

    def __init__(self, model: str, names: dict[str, str], created_s: int, wants_usage: bool) -> None:
        self._model = model
        self._names = names
        self._created_s = created_s
        self._wants_usage = wants_usage
        self._head = b""
        self._opened: set[int] = set()
        self._called: set[int] = set()
        self._custom: set[tuple[int, int]] = set()
        """(choice, call) of custom tools, whose arguments are free text."""
        self._finishes: dict[int, Finished] = {}
        self.content = False

    def write(self, event: Event) -> bytes:
        """Bytes of one event; empty where it says nothing in this dialect or belongs to the end."""
        if type(event) is TextDelta and event.choice in self._opened:
            return _TEXT % (self._head, event.choice, _encode(event.text))  # as nearly all are
        if isinstance(event, Started):
            self._head = self._chunk_head(event.id)
            return b""
        if isinstance(event, Finished):
            self._finishes[event.choice] = event
            return b""
        delta = self._delta(event)
        if delta is None:
            return b""
        self.content = True
        return self._chunk(event.choice, delta, b"null")

    def close(self, usage: Usage, cost: bytes | None) -> bytes:
        out: list[bytes] = []
        for finished in self._finishes.values() or (Finished(0, "stop"),):
            reason = finish_reason(finished.reason, finished.choice in self._called)
            out.append(self._chunk(finished.choice, {}, msgspec.json.encode(reason)))
        if self._wants_usage and (rendered := render_usage(usage, cost)) is not None:
            out.append(data_event(self._head + b'"choices":[],"usage":' + msgspec.json.encode(rendered) + b"}"))
        out.append(_DONE)
        return b"".join(out)

    def fail(self, refusal: Refusal) -> bytes:
        return error_event(refusal)

    def _chunk_head(self, response_id: str | None) -> bytes:
        head = {
            "id": completion_id(response_id),
            "object": "chat.completion.chunk",
            "created": self._created_s,
            "model": self._model,
        }
        return msgspec.json.encode(head)[:-1] + b","

    def _chunk(self, choice: int, delta: dict[str, Any], finish: bytes) -> bytes:
        if choice not in self._opened:
            self._opened.add(choice)
            delta = {"role": "assistant", "content": "", **delta}
        body = msgspec.json.encode(delta)
        return b'data: %b"choices":[{"index":%d,"delta":%b,"logprobs":null,"finish_reason":%b}]}\n\n' % (
            self._head,
            choice,
            body,
            finish,
        )

    def _delta(self, event: Event) -> dict[str, Any] | None:
        if isinstance(event, TextDelta):
            return {"content": event.text}
        if isinstance(event, ToolArgumentsDelta):
            if (event.choice, event.call) in self._custom:
                return {"tool_calls": [{"index": event.call, "custom": {"input": event.json}}]}
            return {"tool_calls": [{"index": event.call, "function": {"arguments": event.json}}]}
        if isinstance(event, ToolCallStarted):
            self._called.add(event.choice)
            name = self._names.get(event.name, event.name)
            if event.kind == "custom":
                self._custom.add((event.choice, event.call))
                custom = {"name": name, "input": ""}
                call = {"index": event.call, "id": call_id(event.id), "type": "custom", "custom": custom}
                return {"tool_calls": [call]}
            function = {"name": name, "arguments": ""}
            given = signed_call_id(event.id, event.signature)
            return {"tool_calls": [{"index": event.call, "id": given, "type": "function", "function": function}]}
        if isinstance(event, ThinkingDelta):
            return {"reasoning_content": event.text}
        if isinstance(event, ThinkingSigned):
            return {"reasoning_details": [reasoning_detail("", event.signature, 0)]}
        if isinstance(event, RefusalDelta):
            return {"refusal": event.text}
        assert isinstance(event, RedactedThinkingSeen)
        return {"reasoning_details": [encrypted_detail(event.signature, 0)]}
