"""Canonical blocks as parts of a content."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from bascule.dialects.anthropic_messages.render_request import arguments_object
from bascule.dialects.base import Body
from bascule.dialects.gemini.signatures import GOOGLES, NAME
from bascule.dialects.names import GEMINI_NAME_CHARS, call_id, tool_name
from bascule.model.request import (
    Audio,
    Block,
    Document,
    Image,
    RefusalText,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)

_TYPES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif"}


def render_part(block: Block) -> Body | None:
    """A part; None for what Google must not or cannot see: empty text, thoughts that it did not sign, foreign blocks.
    Results of tools are not parts by themselves, see `render_result`."""
    if isinstance(block, Text):
        signature = block.carried.get(NAME, {}).get("thoughtSignature")
        if signature is not None:
            return {"text": block.text, "thoughtSignature": signature}
        return {"text": block.text} if block.text else None
    if isinstance(block, ToolUse):
        return _call(block)
    if isinstance(block, Thinking):
        if block.signature is None or block.signature.dialect != NAME:
            return None
        return {"text": block.text, "thought": True, "thoughtSignature": block.signature.value}
    if isinstance(block, RefusalText):
        return {"text": block.text} if block.text else None
    return render_data(block)


def render_data(block: Block) -> Body | None:
    """Images, documents and sounds."""
    if isinstance(block, Image):
        if block.data is not None:
            return {"inlineData": {"mimeType": block.media_type or "image/png", "data": block.data}}
        return _file(block.url or "", block.media_type)
    if isinstance(block, Audio):
        return {"inlineData": {"mimeType": f"audio/{block.format}", "data": block.data}}
    if not isinstance(block, Document):
        return None
    if block.text is not None:
        title = f"{block.name}:\n" if block.name else ""
        context = f"{block.context}\n" if block.context else ""
        return {"text": f"{title}{context}{block.text}"}
    if block.data is not None:
        return {"inlineData": {"mimeType": block.media_type or "application/pdf", "data": block.data}}
    return _file(block.url or "", block.media_type or "application/pdf")


def render_result(block: ToolResult, names: Mapping[str, str], *, nested: bool) -> list[Body]:
    """A function's response, and behind it what does not fit into it.

    `names`: of the tools, by the ids of their calls. `nested`: images and documents may stand inside.
    """
    texts = [part.text for part in block.content if isinstance(part, Text)]
    data = [part for item in block.content if (part := render_data(item)) is not None]
    texts += [part["text"] for part in data if "text" in part]
    data = [part for part in data if "text" not in part]
    name = tool_name(names.get(block.tool_use_id, "unknown"), GEMINI_NAME_CHARS)
    response: Body = {
        "id": call_id(block.tool_use_id),
        "name": name,
        "response": {"error" if block.is_error else "output": "\n".join(texts)},
    }
    if not data:
        return [{"functionResponse": response}]
    if nested:
        response["parts"] = data
        return [{"functionResponse": response}]
    heading = {"text": f"Result of the call {call_id(block.tool_use_id)} of {name}:"}
    return [{"functionResponse": response}, heading, *data]


def _call(block: ToolUse) -> Body:
    arguments = {"input": block.arguments} if block.kind == "custom" else arguments_object(block.arguments)
    name = tool_name(block.name, GEMINI_NAME_CHARS)
    part: Body = {"functionCall": {"id": call_id(block.id), "name": name, "args": arguments}}
    if block.signature is not None and block.signature.dialect in GOOGLES:
        part["thoughtSignature"] = block.signature.value
    return part


def _file(url: str, media_type: str | None) -> Body:
    file = {"fileUri": url}
    known = media_type or _TYPES.get(_path(url).rpartition(".")[2].lower())
    if known is not None:
        file["mimeType"] = known
    return {"fileData": file}


def _path(url: str) -> str:
    """Of an address as the client wrote it, which may be none at all: the provider is asked to fetch it, not we."""
    try:
        return urlsplit(url).path
    except ValueError:
        return url.partition("?")[0].partition("#")[0]
