"""Canonical events as a Messages stream: blocks one after another, each opened and closed.

Tool calls whose pieces alternate are written one at a time: while one is open and its arguments are not whole, the
pieces of the others wait.
"""

from typing import Any

import msgspec

from bascule.dialects.anthropic_messages.errors import error_event
from bascule.dialects.anthropic_messages.parse_content import NAME
from bascule.dialects.anthropic_messages.render_response import message_id, render_usage, stop_reason
from bascule.dialects.anthropic_messages.unsigned import FOREIGN_SIGNATURE
from bascule.dialects.fields import is_json
from bascule.dialects.names import signed_call_id
from bascule.dialects.signatures import signature_text
from bascule.dialects.sse import named_event
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

_NO_USAGE = {"input_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 0}
"""`message_start` must name counts that are not known yet; `message_delta`'s are totals and replace them."""


class _Call:
    __slots__ = ("arguments", "closed", "id", "name", "opened", "written")

    def __init__(self, given_id: str, name: str) -> None:
        self.id = given_id
        self.name = name
        self.arguments: list[str] = []
        self.written = 0
        """Pieces of `arguments` that have gone out."""
        self.opened = False
        self.closed = False

    def is_whole(self) -> bool:
        """The arguments are a JSON document, so that nothing more can come."""
        if not self.arguments or self.arguments[-1].rstrip()[-1:] != "}":
            return False
        return is_json("".join(self.arguments).encode())


class MessageWriter:
    """Writes events of a Messages stream for the first choice. The finish and the usage come with `close`."""

    __slots__ = (
        "_calls",
        "_finish",
        "_index",
        "_late_text",
        "_model",
        "_names",
        "_open",
        "_refused",
        "_signed",
        "_wants_thinking",
        "content",
    )

    def __init__(self, model: str, names: dict[str, str], wants_thinking: bool) -> None:
        self._model = model
        self._names = names
        self._wants_thinking = wants_thinking
        self._index = -1
        self._open: str | _Call | None = None
        self._signed = False
        self._refused = False
        self._calls: dict[int, _Call] = {}
        self._late_text: list[str] = []
        """Text that came while the arguments of a call were not whole."""
        self._finish: Finished | None = None
        self.content = False

    def write(self, event: Event) -> bytes:
        """Bytes of one event; empty where it says nothing in this dialect, must wait, or belongs to the end."""
        if type(event) is TextDelta and self._open == "text" and event.choice == 0:
            return _TEXT_DELTA % (self._index, _encode(event.text))  # as nearly all are
        if isinstance(event, Started):
            return self._start(event)
        if event.choice != 0:
            return b""
        if isinstance(event, TextDelta):
            return self._text(event.text)
        if isinstance(event, ToolArgumentsDelta):
            call = self._calls[event.call]
            call.arguments.append(event.json)
            return self._advance()
        if isinstance(event, ToolCallStarted):
            self._calls[event.call] = _Call(signed_call_id(event.id, event.signature), event.name)
            return self._advance()
        if isinstance(event, ThinkingDelta):
            if not self._wants_thinking or self._call_is_open():
                return b""
            same = self._open == "thinking" and not self._signed
            head = b"" if same else self._open_block("thinking", _THINKING)
            return head + self._delta({"type": "thinking_delta", "thinking": event.text})
        if isinstance(event, ThinkingSigned):
            if self._open != "thinking":
                return b""
            self._signed = True
            return self._delta({"type": "signature_delta", "signature": signature_text(event.signature, NAME)})
        if isinstance(event, RedactedThinkingSeen):
            return self._redacted(event)
        if isinstance(event, RefusalDelta):
            self._refused = True
            return self._text(event.text)
        if isinstance(event, Finished):
            self._finish = event
        return b""

    def close(self, usage: Usage, cost: bytes | None) -> bytes:
        out = [self._flush_calls()]
        if self._late_text:
            out.append(self._text("".join(self._late_text)))
        out.append(self._close_block())
        finish = self._finish
        sequence = finish.stop_sequence if finish is not None else None
        reason = stop_reason(finish.reason if finish is not None else None, bool(self._calls), self._refused, sequence)
        delta = {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": sequence},
            "usage": render_usage(usage, cost),
        }
        out.append(named_event(b"message_delta", msgspec.json.encode(delta)))
        out.append(named_event(b"message_stop", b'{"type":"message_stop"}'))
        return b"".join(out)

    def fail(self, refusal: Refusal) -> bytes:
        return error_event(refusal)

    def _start(self, event: Started) -> bytes:
        message: dict[str, Any] = {
            "id": message_id(event.id),
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": _NO_USAGE,
        }
        return named_event(b"message_start", msgspec.json.encode({"type": "message_start", "message": message}))

    def _text(self, text: str) -> bytes:
        if self._call_is_open():
            self._late_text.append(text)
            return b""
        head = b"" if self._open == "text" else self._open_block("text", _TEXT)
        return head + self._delta({"type": "text_delta", "text": text})

    def _redacted(self, event: RedactedThinkingSeen) -> bytes:
        if not self._wants_thinking or self._call_is_open():
            return b""
        block = {"type": "redacted_thinking", "data": signature_text(event.signature, NAME)}
        return self._open_block("redacted_thinking", msgspec.json.encode(block))

    def _advance(self) -> bytes:
        """Write what the open call has, and go on to the next one once it is whole."""
        waiting = [call for call in self._calls.values() if not call.closed]
        out: list[bytes] = []
        for call, following in zip(waiting, [*waiting[1:], None], strict=True):
            out.append(self._write_call(call))
            if following is None or not call.is_whole():
                break
            out.append(self._close_block())
        return b"".join(out)

    def _call_is_open(self) -> bool:
        return isinstance(self._open, _Call) and not self._open.is_whole()

    def _flush_calls(self) -> bytes:
        """Write every call to its end, whole or not: nothing more will come for them."""
        out: list[bytes] = []
        for call in self._calls.values():
            if not call.closed:
                out += (self._write_call(call), self._close_block())
        return b"".join(out)

    def _write_call(self, call: _Call) -> bytes:
        out: list[bytes] = []
        if not call.opened:
            call.opened = True
            name = self._names.get(call.name, call.name)
            block = {"type": "tool_use", "id": call.id, "name": name, "input": {}}
            out.append(self._open_block(call, msgspec.json.encode(block)))
        out += [
            self._delta({"type": "input_json_delta", "partial_json": piece}) for piece in call.arguments[call.written :]
        ]
        call.written = len(call.arguments)
        return b"".join(out)

    def _open_block(self, what: "str | _Call", block: bytes) -> bytes:
        closing = self._close_block()
        self._open = what
        self._signed = False
        self._index += 1
        self.content = True
        data = b'{"type":"content_block_start","index":%d,"content_block":%b}' % (self._index, block)
        return closing + named_event(b"content_block_start", data)

    def _close_block(self) -> bytes:
        if self._open is None:
            return b""
        head = b""
        if self._open == "thinking" and not self._signed:
            head = self._delta({"type": "signature_delta", "signature": FOREIGN_SIGNATURE})
        if isinstance(self._open, _Call):
            self._open.closed = True
        self._open = None
        data = b'{"type":"content_block_stop","index":%d}' % self._index
        return head + named_event(b"content_block_stop", data)

    def _delta(self, delta: dict[str, Any]) -> bytes:
        body = msgspec.json.encode(delta)
        data = b'{"type":"content_block_delta","index":%d,"delta":%b}' % (self._index, body)
        return named_event(b"content_block_delta", data)


_TEXT = b'{"type":"text","text":""}'
_TEXT_DELTA = (
    b"event: content_block_delta\n"
    b'data: {"type":"content_block_delta","index":%d,"delta":{"type":"text_delta","text":%b}}\n\n'
)
_encode = msgspec.json.Encoder().encode
_THINKING = b'{"type":"thinking","thinking":"","signature":""}'
