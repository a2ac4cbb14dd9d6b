"""Canonical messages as items of a Responses request."""

from collections.abc import Collection, Iterator, Sequence

from bascule.dialects.base import Body
from bascule.dialects.names import OPENAI_NAME_CHARS, call_id, tool_name
from bascule.dialects.openai_responses.signature import own_item
from bascule.model.request import (
    Audio,
    Block,
    Document,
    Image,
    Message,
    RedactedThinking,
    RefusalText,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)


def render_items(messages: Sequence[Message]) -> list[Body]:
    """Items in the order of the blocks. Reasoning of other issuers is left out: OpenAI takes only its own."""
    items: list[Body] = []
    custom: set[str] = set()
    for message in messages:
        custom |= {block.id for block in message.content if isinstance(block, ToolUse) and block.kind == "custom"}
        if message.role == "system":
            role = message.carried.get("openai_chat", {}).get("role", "system")
            text = "\n".join([block.text for block in message.content if isinstance(block, Text)])
            items.append({"type": "message", "role": role, "content": text})
        elif message.role == "assistant":
            items += _assistant(message)
        else:
            items += _user(message, custom)
    return items


def _assistant(message: Message) -> Iterator[Body]:
    """Texts side by side are one message."""
    texts: list[str] = []
    for block in message.content:
        if isinstance(block, Text | RefusalText):
            texts.append(block.text)
            continue
        item = _call(block) if isinstance(block, ToolUse) else _reasoning(block)
        if item is None:
            continue
        if texts:
            yield _said("".join(texts))
            texts = []
        yield item
    if texts:
        yield _said("".join(texts))


def _said(text: str) -> Body:
    return {"type": "message", "role": "assistant", "content": text}


def _call(block: ToolUse) -> Body:
    custom = block.kind == "custom"
    return {
        "type": "custom_tool_call" if custom else "function_call",
        "call_id": call_id(block.id),
        "name": tool_name(block.name, OPENAI_NAME_CHARS),
        **({"input": block.arguments} if custom else {"arguments": block.arguments or "{}"}),
    }


def _reasoning(block: Block) -> Body | None:
    if not isinstance(block, Thinking | RedactedThinking) or block.signature is None:
        return None
    own = own_item(block.signature)
    if own is None:
        return None
    text = block.text if isinstance(block, Thinking) else ""
    return {"type": "reasoning", **own, "summary": [{"type": "summary_text", "text": text}] if text else []}


def _user(message: Message, custom: Collection[str]) -> list[Body]:
    """Results first: each call is answered directly after the turn that made it. `custom`: ids of custom calls."""
    items = [_result(block, block.tool_use_id in custom) for block in message.content if isinstance(block, ToolResult)]
    parts = [part for part in map(_part, message.content) if part is not None]
    if not parts:
        return items
    single = len(parts) == 1 and parts[0]["type"] == "input_text"
    content = parts[0]["text"] if single else parts
    return [*items, {"type": "message", "role": "user", "content": content}]


def _result(block: ToolResult, custom: bool) -> Body:
    kind = "custom_tool_call_output" if custom else "function_call_output"
    parts = [part for part in map(_part, block.content) if part is not None]
    if all(part["type"] == "input_text" for part in parts):
        text = "\n".join([part["text"] for part in parts])
        said = f"Error: {text}" if block.is_error and not text.lower().startswith("error") else text
        return {"type": kind, "call_id": call_id(block.tool_use_id), "output": said}
    if block.is_error:
        parts.insert(0, {"type": "input_text", "text": "Error:"})
    return {"type": kind, "call_id": call_id(block.tool_use_id), "output": parts}


def _part(block: Block) -> Body | None:
    if isinstance(block, Text):
        return {"type": "input_text", "text": block.text} if block.text else None
    if isinstance(block, Image):
        url = block.url if block.data is None else f"data:{block.media_type};base64,{block.data}"
        return {"type": "input_image", "image_url": url, "detail": block.detail or "auto"}
    if isinstance(block, Document):
        return _document(block)
    assert not isinstance(block, Audio)  # refused before
    return None


def _document(block: Document) -> Body:
    if block.text is not None:
        title = f"{block.name}:\n" if block.name else ""
        context = f"{block.context}\n" if block.context else ""
        return {"type": "input_text", "text": f"{title}{context}{block.text}"}
    if block.url is not None:
        return {"type": "input_file", "file_url": block.url}
    data = f"data:{block.media_type};base64,{block.data}"
    return {"type": "input_file", "filename": block.name or "document.pdf", "file_data": data}
