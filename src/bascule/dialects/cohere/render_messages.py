"""Canonical messages as Cohere's."""

from base64 import b64decode
from collections.abc import Sequence
from typing import Any

import msgspec

from bascule.dialects.base import Body, Target
from bascule.dialects.cohere.tool_names import fit_name
from bascule.dialects.names import call_id
from bascule.dialects.openai_chat.quirks import system_element
from bascule.model.errors import Untranslatable
from bascule.model.request import (
    Audio,
    Block,
    Document,
    Image,
    Message,
    RefusalText,
    Request,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)

_TEXTUAL = ("text/", "application/json", "application/xml", "application/yaml")
"""Types of documents that can be read as the text they are."""


def render_messages(request: Request, target: Target, more_system: Sequence[str], reasons: bool) -> list[Body]:
    """All messages, the system prompt first. `more_system` is said with it; `reasons`: the model reads its own earlier
    reasoning. Raises Untranslatable."""
    out: list[Body] = []
    system = [text.text for text in request.instructions if text.text.strip()] + list(more_system)
    if system:
        out.append({"role": "system", "content": "\n\n".join(system)})
    waiting: list[Body] = []
    open_calls = False
    for message in request.messages:
        if message.role == "system":
            # A system message may not come between calls and their results.
            (waiting if open_calls else out).extend(_system(message, target))
            continue
        turns = _assistant(message, reasons) if message.role == "assistant" else _user(message)
        results = [turn for turn in turns if turn["role"] == "tool"]
        out += results + waiting + turns[len(results) :]
        waiting = []
        if turns:
            open_calls = "tool_calls" in turns[-1]
    out += waiting
    if all(turn["role"] == "system" for turn in out):
        # A system prompt alone is a request elsewhere; here it has to be said by the user.
        text = "\n\n".join([turn["content"] for turn in out])
        return [{"role": "user", "content": text or "."}]
    return out


def _system(message: Message, target: Target) -> list[Body]:
    text = "\n".join([block.text for block in message.content if isinstance(block, Text)])
    if not text.strip():
        return []
    if "system_first_only" in target.quirks:
        return [{"role": "user", "content": system_element(text)}]
    return [{"role": "system", "content": text}]


def _assistant(message: Message, reasons: bool) -> list[Body]:
    """Text beside calls is their `tool_plan`, as the model itself writes it."""
    texts: list[str] = []
    thoughts: list[Body] = []
    calls: list[Body] = []
    for block in message.content:
        if isinstance(block, Text | RefusalText) and block.text.strip():
            texts.append(block.text)
        elif isinstance(block, Thinking) and reasons and block.signature is None and block.text:
            thoughts.append({"type": "thinking", "thinking": block.text})
        elif isinstance(block, ToolUse):
            calls.append(_call(block))
    text = "".join(texts)
    if calls:
        turn: Body = {"role": "assistant", "tool_calls": calls}
        if text:
            turn["tool_plan"] = text
        if thoughts:
            turn["content"] = thoughts
        return [turn]
    if not text:
        return []
    return [{"role": "assistant", "content": [*thoughts, {"type": "text", "text": text}] if thoughts else text}]


def _call(block: ToolUse) -> Body:
    arguments = block.arguments or "{}"
    if block.kind == "custom":
        arguments = msgspec.json.encode({"input": block.arguments}).decode()
    function = {"name": fit_name(block.name), "arguments": arguments}
    return {"id": call_id(block.id), "type": "function", "function": function}


def _user(message: Message) -> list[Body]:
    """Tool messages for the results, then what else the turn says. A result's images follow in the user message,
    since tool messages hold text and documents only."""
    results: list[Body] = []
    parts: list[Body] = []
    for block in message.content:
        if isinstance(block, ToolResult):
            results.append(_result(block))
            pictures = [_image(part) for part in block.content if isinstance(part, Image)]
            if pictures:
                parts.append({"type": "text", "text": f"Result of the tool call {call_id(block.tool_use_id)}:"})
                parts += pictures
        else:
            parts += _part(block)
    if not parts:
        return results
    alone = parts[0]["text"] if len(parts) == 1 and parts[0]["type"] == "text" else None
    return [*results, {"role": "user", "content": parts if alone is None else alone}]


def _result(block: ToolResult) -> Body:
    text = "\n".join([part.text for part in block.content if isinstance(part, Text) and part.text])
    if not text and any(isinstance(part, Image) for part in block.content):
        text = "(the result follows in the next message)"
    if block.is_error and not text.lower().startswith("error"):
        text = f"Error: {text}"
    documents = [_document(part) for part in block.content if isinstance(part, Document)]
    content: Any = text or ("" if documents else "(no output)")
    if documents:
        content = [*([{"type": "text", "text": text}] if text else []), *documents]
    return {"role": "tool", "tool_call_id": call_id(block.tool_use_id), "content": content}


def _document(block: Document) -> Body:
    data = {"text": document_text(block)}
    data |= {key: value for key, value in (("title", block.name), ("context", block.context)) if value}
    return {"type": "document", "document": {"data": data}}


def _part(block: Block) -> list[Body]:
    if isinstance(block, Text):
        return [{"type": "text", "text": block.text}] if block.text.strip() else []
    if isinstance(block, Image):
        return [_image(block)]
    if isinstance(block, Document):
        # Not as `documents` of the request: those turn citations on, exclude JSON, and lose their place.
        head = [line for line in (block.name and f"{block.name}:", block.context) if line]
        return [{"type": "text", "text": "\n".join([*head, document_text(block)])}]
    if isinstance(block, Audio):
        raise Untranslatable("this model's provider takes no audio here", "messages")
    return []


def _image(block: Image) -> Body:
    if block.file_id is not None:
        raise Untranslatable("a file uploaded to another vendor cannot be read here; send its content", "messages")
    image = {"url": block.url if block.data is None else f"data:{block.media_type};base64,{block.data}"}
    if block.detail in ("auto", "low", "high"):
        image["detail"] = block.detail
    return {"type": "image_url", "image_url": image}


def document_text(block: Document) -> str:
    """The text of a document. Raises Untranslatable for one that is none, or is not here."""
    if block.text is not None:
        return block.text
    if block.data is None:
        raise Untranslatable("a document given by address or file id cannot be read here; send its text", "messages")
    if (block.media_type or "").lower().startswith(_TEXTUAL):
        try:
            return b64decode(block.data, validate=True).decode()
        except ValueError:
            raise Untranslatable("a document whose base64 is not the text it says it is", "messages") from None
    raise Untranslatable("this model's provider takes documents as text only; send the document's text", "messages")
