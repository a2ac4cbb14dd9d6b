"""Canonical events as a Responses stream: items one after another, numbered, each opened and closed.

Calls stay open until the end, since their pieces may alternate; they have places of their own, so that text may follow.
"""

from typing import Any

import msgspec

from bascule.dialects.names import signed_call_id
from bascule.dialects.openai_responses.errors import error_events
from bascule.dialects.openai_responses.names import known_tools, response_id
from bascule.dialects.openai_responses.open_items import OpenCall, OpenMessage, OpenReasoning
from bascule.dialects.openai_responses.render_response import incomplete_reason
from bascule.dialects.openai_responses.shell import Shell
from bascule.dialects.openai_responses.usage import render_usage
from bascule.dialects.openai_responses.write_items import Item, Items, refusal_part, summary_part, text_part
from bascule.dialects.sse import named_event
from bascule.dialects.translate import Rendering
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
from bascule.model.request import Signature
from bascule.model.usage import Usage


class ResponseWriter:
    """Writes events of a response for the first choice. What ends items of text and calls comes with `close`."""

    __slots__ = (
        "_calls",
        "_finish",
        "_items",
        "_names",
        "_open",
        "_output",
        "_sequence",
        "_shell",
        "_tools",
        "content",
    )

    def __init__(self, rendering: Rendering) -> None:
        self._shell = Shell(rendering.body, rendering.model, rendering.created_s, keeps=rendering.keeps)
        self._tools = known_tools(rendering.body)
        self._names = rendering.names
        self._items = Items(self._shell.id, self._tools, self._names)
        self._sequence = 0
        self._open: OpenMessage | OpenReasoning | None = None
        self._calls: dict[int, OpenCall] = {}
        self._output: list[Item | None] = []
        """Items by their place; None while they are open."""
        self._finish: Finished | None = None
        self.content = False

    def write(self, event: Event) -> bytes:
        """Bytes of one event; empty where it must wait or belongs to the end."""
        if isinstance(event, Started):
            return self._start(event)
        if event.choice != 0:
            return b""
        if isinstance(event, TextDelta):
            return self._text(event.text, is_refusal=False)
        if isinstance(event, ToolArgumentsDelta):
            return self._arguments(self._calls[event.call], event.json)
        if isinstance(event, ToolCallStarted):
            return self._call(event)
        if isinstance(event, ThinkingDelta):
            return self._thought(event.text)
        if isinstance(event, ThinkingSigned):
            return self._signed(event.signature)
        if isinstance(event, RefusalDelta):
            return self._text(event.text, is_refusal=True)
        if isinstance(event, RedactedThinkingSeen):
            return self._whole_reasoning(event.signature, redacted=True)
        self._finish = event
        return b""

    def close(self, usage: Usage, cost: bytes | None) -> bytes:
        incomplete = incomplete_reason(self._finish.reason if self._finish is not None else None)
        status = "completed" if incomplete is None else "incomplete"
        out = [self._close_open(status)]
        out += [self._close_call(call, status) for call in self._calls.values()]
        response = self._shell.render(
            status, list(self._output), usage=render_usage(usage, cost), incomplete=incomplete
        )
        out.append(self._event(f"response.{status}", {"response": response}))
        return b"".join(out)

    def fail(self, refusal: Refusal) -> bytes:
        return error_events(refusal, self._shell, self._sequence)

    def _start(self, event: Started) -> bytes:
        self._shell.id = response_id(event.id)
        self._items = Items(self._shell.id, self._tools, self._names)
        response = {"response": msgspec.Raw(msgspec.json.encode(self._shell.render("in_progress", [])))}
        return self._event("response.created", response) + self._event("response.in_progress", response)

    def _text(self, text: str, *, is_refusal: bool) -> bytes:
        head = b""
        message = self._open
        if not isinstance(message, OpenMessage):
            head = self._close_open()
            index = self._place()
            self._open = message = OpenMessage(index, self._items.message_id(index))
            head += self._added(index, self._items.message(index, [], "in_progress"))
        if message.pieces is not None and message.is_refusal != is_refusal:
            head += self._close_part(message)
        if message.pieces is None:
            head += self._open_part(message, is_refusal)
        assert message.pieces is not None
        message.pieces.append(text)
        name, more = (b"refusal", b"") if is_refusal else (b"output_text", b',"logprobs":[]')
        return head + b"event: response.%b.delta\ndata: %b\n\n" % (
            name,
            b'{"type":"response.%b.delta","sequence_number":%d,"item_id":"%b","output_index":%d,"content_index":%d,'
            b'"delta":%b%b}'
            % (
                name,
                self._number(),
                message.id.encode(),
                message.index,
                len(message.parts),
                msgspec.json.encode(text),
                more,
            ),
        )

    def _open_part(self, message: OpenMessage, is_refusal: bool) -> bytes:
        message.pieces = []
        message.is_refusal = is_refusal
        part = refusal_part("") if is_refusal else text_part("", [])
        return self._event("response.content_part.added", {**self._part_of(message), "part": part})

    def _close_part(self, message: OpenMessage) -> bytes:
        text = "".join(message.pieces or ())
        place = self._part_of(message)
        if message.is_refusal:
            part = refusal_part(text)
            done = self._event("response.refusal.done", {**place, "refusal": text})
        else:
            part = text_part(text, [])
            done = self._event("response.output_text.done", {**place, "text": text, "logprobs": []})
        message.parts.append(part)
        message.pieces = None
        return done + self._event("response.content_part.done", {**place, "part": part})

    @staticmethod
    def _part_of(message: OpenMessage) -> dict[str, Any]:
        return {"item_id": message.id, "output_index": message.index, "content_index": len(message.parts)}

    def _thought(self, text: str) -> bytes:
        head = b""
        reasoning = self._open
        if not isinstance(reasoning, OpenReasoning) or reasoning.signature is not None:
            head, reasoning = self._open_reasoning()
        if not reasoning.pieces:
            part = {**_summary_of(reasoning), "part": summary_part("")}
            head += self._event("response.reasoning_summary_part.added", part)
        reasoning.pieces.append(text)
        return head + self._event("response.reasoning_summary_text.delta", {**_summary_of(reasoning), "delta": text})

    def _open_reasoning(self) -> tuple[bytes, OpenReasoning]:
        head = self._close_open()
        index = self._place()
        self._open = reasoning = OpenReasoning(index, self._items.reasoning_id(index))
        item = {"id": reasoning.id, "type": "reasoning", "summary": []}
        return head + self._added(index, item), reasoning

    def _signed(self, signature: Signature) -> bytes:
        if isinstance(self._open, OpenReasoning) and self._open.signature is None:
            self._open.signature = signature
            return b""
        return self._whole_reasoning(signature, redacted=False)

    def _whole_reasoning(self, signature: Signature, *, redacted: bool) -> bytes:
        """An item of which only the proof is shown."""
        head, reasoning = self._open_reasoning()
        self._open = None
        item = self._items.reasoning(reasoning.index, "", signature, redacted=redacted)
        return head + self._done(reasoning.index, item)

    def _call(self, event: ToolCallStarted) -> bytes:
        head = self._close_open()
        index = self._place()
        tool = self._items.known(event.name)
        call = OpenCall(
            index,
            self._items.call_item_id(index, tool),
            signed_call_id(event.id, event.signature),
            tool,
            event.kind,
        )
        self._calls[event.call] = call
        return head + self._added(index, self._items.call(index, tool, call.call_id, "", "in_progress"))

    def _arguments(self, call: OpenCall, piece: str) -> bytes:
        call.pieces.append(piece)
        if call.tool.custom:
            return b""  # the free text can be told only once all of what it is wrapped in is there
        place = {"item_id": call.id, "output_index": call.index}
        return self._event("response.function_call_arguments.delta", {**place, "delta": piece})

    def _close_call(self, call: OpenCall, status: str) -> bytes:
        written = call.written()
        place = {"item_id": call.id, "output_index": call.index}
        if call.tool.custom:
            done = self._event("response.custom_tool_call_input.delta", {**place, "delta": written})
            done += self._event("response.custom_tool_call_input.done", {**place, "input": written})
        else:
            named = {"name": call.tool.name, "arguments": written}
            done = self._event("response.function_call_arguments.done", {**place, **named})
        return done + self._done(call.index, self._items.call(call.index, call.tool, call.call_id, written, status))

    def _close_open(self, status: str = "completed") -> bytes:
        """End the message or the reasoning that is open."""
        item, self._open = self._open, None
        if item is None:
            return b""
        if isinstance(item, OpenMessage):
            head = b"" if item.pieces is None else self._close_part(item)
            return head + self._done(item.index, self._items.message(item.index, item.parts, status))
        text = "".join(item.pieces)
        place = _summary_of(item)
        head = self._event("response.reasoning_summary_text.done", {**place, "text": text})
        head += self._event("response.reasoning_summary_part.done", {**place, "part": summary_part(text)})
        return head + self._done(item.index, self._items.reasoning(item.index, text, item.signature))

    def _place(self) -> int:
        self._output.append(None)
        self.content = True
        return len(self._output) - 1

    def _added(self, index: int, item: Item) -> bytes:
        return self._event("response.output_item.added", {"output_index": index, "item": item})

    def _done(self, index: int, item: Item) -> bytes:
        self._output[index] = item
        return self._event("response.output_item.done", {"output_index": index, "item": item})

    def _event(self, kind: str, more: dict[str, Any]) -> bytes:
        data = {"type": kind, "sequence_number": self._number(), **more}
        return named_event(kind.encode(), msgspec.json.encode(data))

    def _number(self) -> int:
        number = self._sequence
        self._sequence += 1
        return number


def _summary_of(reasoning: OpenReasoning) -> dict[str, Any]:
    return {"item_id": reasoning.id, "output_index": reasoning.index, "summary_index": 0}
