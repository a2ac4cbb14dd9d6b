"""The provider's side of OpenAI's Responses."""

from collections.abc import Iterator
from typing import Any

import orjson

from bascule.testing import openai_wire
from bascule.testing.answer import Answer, PlannedCall, PlannedChoice, joined
from bascule.testing.openai_wire import CREATED
from bascule.testing.script import Script
from bascule.testing.steps import Kind, Step
from bascule.testing.usage_fault import spoil_usage

Item = dict[str, Any]

error_body = openai_wire.error_body
models_body = openai_wire.models_body


def usage_of(answer: Answer, output_tokens: int) -> dict[str, Any]:
    """Usage in wire form when `output_tokens` of the answer have been generated, reasoning first."""
    return {
        "input_tokens": answer.input_tokens,
        "input_tokens_details": {
            "cached_tokens": answer.cached_tokens,
            "cache_write_tokens": answer.cache_write_5m_tokens,
        },
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": min(answer.reasoning_tokens, output_tokens)},
        "total_tokens": answer.input_tokens + output_tokens,
    }


def whole_body(answer: Answer, script: Script, body: dict[str, Any]) -> dict[str, Any]:
    """A response that is not a stream."""
    return _Stream(answer, script, body).whole()


def stream_steps(answer: Answer, script: Script, body: dict[str, Any]) -> list[Step]:
    """The events of a streamed response, each token in an event of its own. Usage comes with the last alone, where no
    fault wants it elsewhere."""
    return list(_Stream(answer, script, body).steps())


def error_event(script: Script) -> bytes:
    """An error inside a stream that began with 200: the two events that the real API sends."""
    error = error_body(script.status if script.status >= 400 else 500, script)["error"]
    told = {"code": error["code"] or "server_error", "message": error["message"]}
    first = {"type": "error", "sequence_number": 0, **told, "param": None, "error": error}
    failed = {"id": "resp_failed", "object": "response", "status": "failed", "output": [], "error": told}
    last = {"type": "response.failed", "sequence_number": 1, "response": failed}
    events = (("error", first), ("response.failed", last))
    return b"".join([b"event: %b\ndata: %b\n\n" % (name.encode(), orjson.dumps(data)) for name, data in events])


class _Stream:
    """Makes items and events; numbers them."""

    def __init__(self, answer: Answer, script: Script, body: dict[str, Any]) -> None:
        self._answer = answer
        self._script = script
        self._body = body
        self._choice = answer.choices[0]
        self._number = 0
        self._output: list[Item] = []
        self._generated = self._choice.hidden

    def whole(self) -> dict[str, Any]:
        choice = self._choice
        output = [self._reasoning(joined(choice.thinking))] if _reasons(choice) else []
        if choice.text:
            output.append(self._message(joined(choice.text)))
        output += [self._call(call, self._written(call), "completed") for call in choice.calls]
        return self._response(self._status(), output)

    def steps(self) -> Iterator[Step]:
        choice, script = self._choice, self._script
        for kind in ("response.created", "response.in_progress"):
            yield self._event(kind, response=self._response("in_progress", []))
        for _ in range(choice.hidden):
            yield Step(kind="content", tokens=1, wait_s=script.gap_s)
        if _reasons(choice):
            yield from self._reasoning_steps(choice.thinking)
        if choice.text:
            yield from self._text_steps(choice.text)
        for call in choice.calls:
            yield from self._call_steps(call)
        status = self._status()
        response = self._response(status, self._output)
        if script.usage_fault == "after_done":
            yield self._event(f"response.{status}", "terminal", response={**response, "usage": None})
        for _ in range(2 if script.usage_fault == "twice" else 1):
            yield self._event(f"response.{status}", "terminal", usage=response.get("usage"), response=response)

    def _status(self) -> str:
        finish = self._script.finish
        return finish if finish is not None else "incomplete" if self._choice.cut_by_cap else "completed"

    def _response(self, status: str, output: list[Item]) -> dict[str, Any]:
        document: dict[str, Any] = {
            "id": self._answer.response_id,
            "object": "response",
            "created_at": CREATED,
            "status": status,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
            "instructions": self._body.get("instructions"),
            "model": self._answer.model,
            "output": output,
            "parallel_tool_calls": True,
            "tool_choice": self._body.get("tool_choice") or "auto",
            "tools": self._body.get("tools") or [],
            "temperature": 1.0,
            "top_p": 1.0,
            "metadata": {},
            "service_tier": "default",
        }
        if status == "in_progress" or self._script.usage_fault == "none":
            document["usage"] = None
        else:
            document["usage"] = spoil_usage(
                usage_of(self._answer, self._answer.output_tokens), self._script.usage_fault
            )
        return document

    # Items.

    def _reasoning(self, text: str) -> Item:
        return {
            "id": f"rs_{self._answer.response_id}",
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": text}] if text else [],
            "encrypted_content": self._answer.signature,
        }

    def _message(self, text: str, status: str = "completed") -> Item:
        part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
        content = [part] if text else []
        name = f"msg_{self._answer.response_id}"
        return {"id": name, "type": "message", "status": status, "role": "assistant", "content": content}

    def _call(self, call: PlannedCall, written: str, status: str) -> Item:
        """A call as the request's tools want it: in a namespace, as free text, or plainly."""
        item: Item = {"id": f"fc_{call.id}", "type": "function_call", "status": status, "call_id": call.id}
        for tool in self._body.get("tools") or ():
            if tool.get("type") == "namespace" and call.name.startswith(f"{tool['name']}__"):
                name = call.name.removeprefix(f"{tool['name']}__")
                return {**item, "namespace": tool["name"], "name": name, "arguments": written}
            if tool.get("type") == "custom" and tool.get("name") == call.name:
                return {**item, "id": f"ctc_{call.id}", "type": "custom_tool_call", "name": call.name, "input": written}
        return {**item, "name": call.name, "arguments": written}

    def _written(self, call: PlannedCall) -> str:
        custom = {tool.get("name") for tool in self._body.get("tools") or () if tool.get("type") == "custom"}
        return str(call.arguments.get("input", "")) if call.name in custom else joined(call.pieces)

    # Their events.

    def _reasoning_steps(self, tokens: tuple[str, ...]) -> Iterator[Step]:
        whole = self._reasoning(joined(tokens))
        index = len(self._output)
        place = {"item_id": whole["id"], "output_index": index, "summary_index": 0}
        part = {"type": "summary_text", "text": joined(tokens)}
        yield self._event("response.output_item.added", output_index=index, item={**whole, "summary": []})
        if tokens:
            yield self._event("response.reasoning_summary_part.added", **place, part={**part, "text": ""})
            for token in tokens:
                yield self._token("response.reasoning_summary_text.delta", **place, delta=token)
                yield from self._so_far()
            yield self._event("response.reasoning_summary_text.done", **place, text=part["text"])
            yield self._event("response.reasoning_summary_part.done", **place, part=part)
        yield self._end(index, whole)

    def _text_steps(self, tokens: tuple[str, ...]) -> Iterator[Step]:
        whole = self._message(joined(tokens))
        index = len(self._output)
        place = {"item_id": whole["id"], "output_index": index, "content_index": 0}
        (part,) = whole["content"]
        yield self._event("response.output_item.added", output_index=index, item=self._message("", "in_progress"))
        yield self._event("response.content_part.added", **place, part={**part, "text": ""})
        for token in tokens:
            yield self._token("response.output_text.delta", **place, delta=token, logprobs=[])
            yield from self._so_far()
        yield self._event("response.output_text.done", **place, text=part["text"], logprobs=[])
        yield self._event("response.content_part.done", **place, part=part)
        yield self._end(index, whole)

    def _call_steps(self, call: PlannedCall) -> Iterator[Step]:
        whole = self._call(call, self._written(call), "completed")
        index = len(self._output)
        place = {"item_id": whole["id"], "output_index": index}
        yield self._event("response.output_item.added", output_index=index, item=self._call(call, "", "in_progress"))
        if whole["type"] == "custom_tool_call":
            text = whole["input"]
            for at, _ in enumerate(call.pieces):
                yield self._token("response.custom_tool_call_input.delta", **place, delta="" if at else text)
            yield self._event("response.custom_tool_call_input.done", **place, input=text)
        else:
            for piece in call.pieces:
                yield self._token("response.function_call_arguments.delta", **place, delta=piece)
            named = {"name": whole["name"], "arguments": whole["arguments"]}
            yield self._event("response.function_call_arguments.done", **place, **named)
        yield self._end(index, whole)

    def _end(self, index: int, whole: Item) -> Step:
        self._output.append(whole)
        return self._event("response.output_item.done", output_index=index, item=whole)

    def _so_far(self) -> Iterator[Step]:
        """What a vendor sends that reports usage again and again, each time all of it."""
        if self._script.usage_fault == "cumulative":
            usage = usage_of(self._answer, self._generated)
            response = {**self._response("in_progress", []), "usage": usage}
            yield self._event("response.in_progress", usage=usage, response=response)

    def _token(self, event: str, **more: Any) -> Step:
        self._generated += 1
        return self._event(event, "content", tokens=1, wait_s=self._script.gap_s, **more)

    def _event(
        self, event: str, kind: Kind = "other", *, tokens: int = 0, wait_s: float = 0.0, usage: Any = None, **more: Any
    ) -> Step:
        document = {"type": event, "sequence_number": self._number, **more}
        self._number += 1
        data = b"event: %b\ndata: %b\n\n" % (event.encode(), orjson.dumps(document))
        return Step(data=data, kind=kind, tokens=tokens, wait_s=wait_s, usage=usage)


def _reasons(choice: PlannedChoice) -> bool:
    return choice.hidden > 0 or bool(choice.thinking)
