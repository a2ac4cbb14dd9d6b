"""Text or a list of Anthropic's blocks to canonical ones: of messages, system prompts, tool results and answers."""

from typing import Any

import msgspec
from msgspec import Raw

from bascule.dialects.anthropic_messages.unsigned import FOREIGN_SIGNATURE
from bascule.dialects.fields import cache_mark, flag, mapping, objects, required_text, text, untranslatable, wrong
from bascule.dialects.names import split_call_id
from bascule.dialects.signatures import signature_of
from bascule.model.errors import MalformedRequest
from bascule.model.request import (
    Block,
    Carried,
    Document,
    Image,
    Opaque,
    RedactedThinking,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)

NAME = "anthropic_messages"


def parse_content(content: Any, where: str, *, answered: bool = False) -> tuple[Block, ...]:
    """Raises MalformedRequest with the path of what is wrong. Empty text is left out.

    A block with no canonical word is Opaque where a provider `answered` with it; from a client it is Untranslatable,
    since what a client says may not be lost on the way to a model.
    """
    if type(content) is str:
        return (Text(text=content),) if content else ()
    if type(content) is not list:
        raise MalformedRequest(f"`{where}` must be text or a list of blocks", where)
    return tuple(
        [block for at, given in enumerate(content) if (block := _block(given, f"{where}[{at}]", answered=answered))]
    )


def carried(block: dict[str, Any], where: str, *more: str) -> Carried:
    """What only this dialect can say of a block or a tool: its cache mark, and `more` fields as they are."""
    if "cache_control" not in block and block.keys().isdisjoint(more):
        return {}  # as nearly all are
    kept: dict[str, Any] = {key: block[key] for key in more if block.get(key) is not None}
    if (cache_control := cache_mark(block, where)) is not None:
        kept["cache_control"] = cache_control
    return {NAME: kept} if kept else {}


def _block(block: Any, where: str, *, answered: bool) -> Block | None:
    if type(block) is not dict:
        raise MalformedRequest(f"`{where}` must be an object with a `type`", where)
    kind = required_text(block, "type", where)
    if kind == "text":
        given = text(block, "text", where)
        if given is None:
            wrong(where, "text", "text, and may not be missing")
        return Text(text=given, carried=carried(block, where, "citations")) if given else None
    if kind == "tool_use":
        return _tool_use(block, where)
    if kind == "tool_result":
        given = block.get("content")
        return ToolResult(
            tool_use_id=split_call_id(required_text(block, "tool_use_id", where))[0],
            content=() if given is None else parse_content(given, f"{where}.content", answered=answered),
            is_error=flag(block, "is_error", where) is True,
            carried=carried(block, where),
        )
    if kind == "image":
        return _image(block, where)
    if kind == "document":
        return _document(block, where)
    if kind == "thinking":
        thought = text(block, "thinking", where) or ""
        signature = text(block, "signature", where)
        if signature is None or signature in ("", FOREIGN_SIGNATURE):
            return Thinking(text=thought)
        return Thinking(text=thought, signature=signature_of(signature, NAME))
    if kind == "redacted_thinking":
        issued = signature_of(required_text(block, "data", where), NAME)
        return None if issued is None else RedactedThinking(signature=issued)
    if kind == "search_result" and not answered:
        return _search_result(block, where)
    if not answered:
        untranslatable(f"{where}.type", f"a block of type {kind[:40]!r}")
    return Opaque(dialect=NAME, raw=Raw(msgspec.json.encode(block)))


def _tool_use(block: dict[str, Any], where: str) -> ToolUse:
    given, signature = split_call_id(required_text(block, "id", where))
    return ToolUse(
        id=given,
        name=required_text(block, "name", where),
        arguments=msgspec.json.encode(mapping(block, "input", where) or {}).decode(),
        signature=signature,
        carried=carried(block, where),
    )


def _search_result(block: dict[str, Any], where: str) -> Text:
    """What the client found itself, as text under its title and source; citations need the block and are lost."""
    texts = [required_text(part, "text", f"{where}.content[{at}]") for at, part in _parts(block, where)]
    head = [required_text(block, "title", where), required_text(block, "source", where)]
    return Text(text="\n".join([*head, *texts]), carried=carried(block, where))


def _parts(block: dict[str, Any], where: str) -> list[tuple[int, dict[str, Any]]]:
    found = list(enumerate(objects(block, "content", where)))
    for at, part in found:
        if part.get("type") != "text":
            wrong(f"{where}.content[{at}]", "type", "`text`")
    return found


def _source(block: dict[str, Any], where: str) -> tuple[dict[str, Any], str]:
    """(source, its type)."""
    source = mapping(block, "source", where)
    if source is None:
        wrong(where, "source", "an object with a `type`")
    return source, required_text(source, "type", f"{where}.source")


def _image(block: dict[str, Any], where: str) -> Image:
    source, kind = _source(block, where)
    at = f"{where}.source"
    marks = carried(block, where)
    if kind == "base64":
        media_type = required_text(source, "media_type", at)
        return Image(data=required_text(source, "data", at), media_type=media_type, carried=marks)
    if kind == "url":
        return Image(url=required_text(source, "url", at), carried=marks)
    if kind == "file":
        return Image(file_id=required_text(source, "file_id", at), carried=marks)
    raise MalformedRequest(f"`{at}.type` must be `base64`, `url` or `file`", f"{at}.type")


def _document(block: dict[str, Any], where: str) -> Document:
    source, kind = _source(block, where)
    at = f"{where}.source"
    plain = data = url = file_id = None
    if kind == "text":
        plain = required_text(source, "data", at)
    elif kind == "content":
        content = parse_content(source.get("content"), f"{at}.content")
        if not all(isinstance(part, Text) for part in content):
            untranslatable(f"{at}.content", "a document with more than text in it")
        plain = "\n".join([part.text for part in content if isinstance(part, Text)])
    elif kind == "base64":
        data = required_text(source, "data", at)
    elif kind == "url":
        url = required_text(source, "url", at)
    elif kind == "file":
        file_id = required_text(source, "file_id", at)
    else:
        wrong(at, "type", "`text`, `content`, `base64`, `url` or `file`")
    return Document(
        text=plain,
        data=data,
        url=url,
        file_id=file_id,
        media_type=text(source, "media_type", at),
        name=text(block, "title", where),
        context=text(block, "context", where),
        carried=carried(block, where, "citations"),
    )
