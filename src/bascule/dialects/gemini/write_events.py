"""Canonical events as a Gemini stream: each event a whole `GenerateContentResponse`.

A call goes out whole, since this dialect has no pieces of one: with the finish of its candidate. The reasons of the
finish, and the usage, come with `close`, in an event whose content is empty text, as Google's own last event: SDKs keep
a turn only where each event of it has some.
"""

import msgspec

from bascule.dialects.base import Body
from bascule.dialects.gemini.errors import error_event
from bascule.dialects.gemini.render_response import call_part, finish_word, render_usage
from bascule.dialects.gemini.signatures import written
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


class ResponseWriter:
    """Writes events of a Gemini stream."""

    __slots__ = ("_calls", "_finishes", "_model", "_names", "_refused", "_response_id", "_wants_thinking", "content")

    def __init__(self, model: str, names: dict[str, str], wants_thinking: bool) -> None:
        self._model = model
        self._names = names
        self._wants_thinking = wants_thinking
        self._response_id = "unknown"
        self._calls: dict[tuple[int, int], tuple[ToolCallStarted, list[str]]] = {}
        """Those that have not gone out, with their arguments so far."""
        self._finishes: dict[int, str] = {}
        self._refused: set[int] = set()
        self.content = False

    def write(self, event: Event) -> bytes:
        """Bytes of one event; empty where it says nothing in this dialect, must wait, or belongs to the end."""
        if isinstance(event, Started):
            self._response_id = event.id or "unknown"
            return b""
        if isinstance(event, ToolCallStarted):
            self._calls[event.choice, event.call] = (event, [])
            return b""
        if isinstance(event, ToolArgumentsDelta):
            waiting = self._calls.get((event.choice, event.call))
            if waiting is not None:
                waiting[1].append(event.json)
            return b""
        if isinstance(event, Finished):
            self._finishes[event.choice] = event.reason
            return self._flush(event.choice)
        part = self._part(event)
        return b"" if part is None else self._event(event.choice, [part])

    def close(self, usage: Usage, cost: bytes | None) -> bytes:
        out = [self._flush(choice) for choice in sorted({choice for choice, _ in self._calls})]
        candidates: list[Body] = [
            {
                "content": {"parts": [{"text": ""}], "role": "model"},
                "finishReason": finish_word("refusal" if choice in self._refused else reason),
                "index": choice,
            }
            for choice, reason in (self._finishes or {0: "stop"}).items()
        ]
        body = self._body(candidates)
        if (rendered := render_usage(usage, cost)) is not None:
            body["usageMetadata"] = rendered
        out.append(data_event(msgspec.json.encode(body)))
        return b"".join(out)

    def fail(self, refusal: Refusal) -> bytes:
        return error_event(refusal)

    def _part(
        self, event: TextDelta | ThinkingDelta | ThinkingSigned | RedactedThinkingSeen | RefusalDelta
    ) -> Body | None:
        if isinstance(event, TextDelta):
            return {"text": event.text}
        if isinstance(event, RefusalDelta):
            self._refused.add(event.choice)
            return {"text": event.text}
        if not self._wants_thinking:
            return None
        if isinstance(event, ThinkingDelta):
            return {"text": event.text, "thought": True}
        redacted = isinstance(event, RedactedThinkingSeen)
        return {"text": "", "thought": True, "thoughtSignature": written(event.signature, redacted=redacted)}

    def _flush(self, choice: int) -> bytes:
        """The calls of a candidate, which are whole now."""
        parts: list[Body] = []
        for key in [key for key in self._calls if key[0] == choice]:
            call, pieces = self._calls.pop(key)
            parts.append(call_part(call.id, self._names.get(call.name, call.name), "".join(pieces), call.signature))
        return self._event(choice, parts) if parts else b""

    def _event(self, choice: int, parts: list[Body]) -> bytes:
        self.content = True
        candidate = {"content": {"parts": parts, "role": "model"}, "index": choice}
        return data_event(msgspec.json.encode(self._body([candidate])))

    def _body(self, candidates: list[Body]) -> Body:
        return {"candidates": candidates, "modelVersion": self._model, "responseId": self._response_id}
