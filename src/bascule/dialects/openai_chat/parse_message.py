"""One message of Chat Completions to canonical blocks."""

from typing import Any

from bascule.dialects.fields import cache_mark, mapping, objects, required_text, text, untranslatable, word, wrong
from bascule.dialects.media import data_url, is_address
from bascule.dialects.names import split_call_id
from bascule.dialects.signatures import is_foreign, signature_of
from bascule.model.errors import MalformedRequest
from bascule.model.request import (
    Audio,
    Block,
    Carried,
    Document,
    Image,
    RedactedThinking,
    RefusalText,
    Signature,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)

_CALL_KINDS = frozenset({"function", "custom"})
_ROLE_AND_CONTENT = 2
"""Members of a message that has nothing else, as most have."""


def parse_message(message: dict[str, Any], where: str) -> tuple[Block, ...]:
    """The blocks of a message of any role but `tool`; also of an answer's message. Raises MalformedRequest."""
    content = message.get("content")
    if len(message) == _ROLE_AND_CONTENT and type(content) is str:
        return (Text(text=content),) if content else ()
    blocks: list[Block] = []
    if message.get("role") == "assistant":
        blocks += _thinking(message, where)
    blocks += _content(message, where)
    if refusal := text(message, "refusal", where):
        blocks.append(RefusalText(text=refusal))
    for index, call in enumerate(objects(message, "tool_calls", where)):
        blocks.append(_tool_call(call, f"{where}.tool_calls[{index}]"))
    if (legacy := mapping(message, "function_call", where)) is not None:
        at = f"{where}.function_call"
        name = required_text(legacy, "name", at)
        blocks.append(ToolUse(id=f"call_{name}", name=name, arguments=_arguments(legacy, at)))
    return tuple(blocks)


def parse_tool_result(message: dict[str, Any], where: str) -> ToolResult:
    """A message of role `tool`, or `function` of old. Raises MalformedRequest."""
    call = text(message, "tool_call_id", where)
    if call is None:
        if message["role"] == "tool":
            raise MalformedRequest(f"`{where}.tool_call_id` is missing", f"{where}.tool_call_id")
        call = f"call_{required_text(message, 'name', where)}"
    content = tuple(_content(message, where, marked=False))
    return ToolResult(tool_use_id=split_call_id(call)[0], content=content, carried=mark(message, where))


def mark(holder: dict[str, Any], where: str) -> Carried:
    """OpenRouter's and LiteLLM's way to mark Anthropic cache breakpoints in this dialect."""
    given = cache_mark(holder, where)
    return {} if given is None else {"anthropic_messages": {"cache_control": given}}


def call_signature(call: dict[str, Any]) -> Signature | None:
    """Gemini's thought signature in its OpenAI-compatible form: `extra_content.google.thought_signature`."""
    extra = call.get("extra_content")
    google = extra.get("google") if isinstance(extra, dict) else None
    value = google.get("thought_signature") if isinstance(google, dict) else None
    return Signature("openai_chat", value) if isinstance(value, str) and value else None


def _content(message: dict[str, Any], where: str, *, marked: bool = True) -> list[Block]:
    """The blocks of `content`. A text may bear the mark of its message; a tool result bears it itself."""
    content = message.get("content")
    if type(content) is str:
        return [Text(text=content, carried=mark(message, where) if marked else {})] if content else []
    if content is not None and type(content) is not list:
        wrong(where, "content", "text or a list of parts")
    return [_part(part, f"{where}.content[{at}]") for at, part in enumerate(objects(message, "content", where))]


def _thinking(message: dict[str, Any], where: str) -> list[Block]:
    """`reasoning_details` of OpenRouter keep a signature; `reasoning_content` and `reasoning` are text only."""
    found: list[Block] = []
    for index, detail in enumerate(objects(message, "reasoning_details", where)):
        at = f"{where}.reasoning_details[{index}]"
        if signature := text(detail, "signature", at):
            thought = text(detail, "text", at) or ""
            found.append(Thinking(text=thought, signature=signature_of(signature, "anthropic_messages")))
            continue
        data = text(detail, "data", at)
        # What others encrypted was not given out by this gateway, and nobody knows for whom it is.
        issued = signature_of(data, "openai_chat") if data and is_foreign(data) else None
        if issued is not None:
            found.append(RedactedThinking(signature=issued))
    if any(isinstance(block, Thinking) for block in found):
        return found
    thought = text(message, "reasoning_content", where) or text(message, "reasoning", where) or ""
    return [*found, Thinking(text=thought)] if thought else found


def _part(part: dict[str, Any], where: str) -> Block:
    kind = part.get("type")
    if kind == "text":
        given = text(part, "text", where)
        if given is None:
            wrong(where, "text", "text, and may not be missing")
        return Text(text=given, carried=mark(part, where))
    if kind == "image_url":
        return _image(part, where)
    if kind == "refusal":
        return RefusalText(text=required_text(part, "refusal", where))
    if kind == "input_audio":
        audio = mapping(part, "input_audio", where) or {}
        at = f"{where}.input_audio"
        return Audio(data=required_text(audio, "data", at), format=required_text(audio, "format", at))
    if kind != "file":
        untranslatable(f"{where}.type", f"a part of type {required_text(part, 'type', where)[:40]!r}")
    return _file(mapping(part, "file", where) or {}, f"{where}.file")


def _image(part: dict[str, Any], where: str) -> Image:
    at = f"{where}.image_url"
    image = part.get("image_url")
    if type(image) is str:
        image = {"url": image}
    elif type(image) is not dict:
        wrong(where, "image_url", "an object with a `url`")
    url = required_text(image, "url", at)
    detail = text(image, "detail", at)
    media_type, data = data_url(url)
    if data is None:
        if not is_address(url):
            wrong(at, "url", "an http or https address, or a data URL")
        return Image(url=url, detail=detail, carried=mark(part, where))
    return Image(data=data, media_type=media_type, detail=detail, carried=mark(part, where))


def _file(file: dict[str, Any], where: str) -> Document:
    name = text(file, "filename", where)
    if (data := text(file, "file_data", where)) is not None:
        media_type, payload = data_url(data)
        return Document(data=payload or data, media_type=media_type or "application/pdf", name=name)
    return Document(file_id=required_text(file, "file_id", where), name=name)


def _tool_call(call: dict[str, Any], where: str) -> ToolUse:
    given, signature = split_call_id(text(call, "id", where) or "")
    said = word(call, "type", _CALL_KINDS, where)
    if (function := mapping(call, "function", where)) is not None:
        if said == "custom":
            wrong(where, "type", "`function`, as it is one")
        at = f"{where}.function"
        return ToolUse(
            id=given,
            name=required_text(function, "name", at),
            arguments=_arguments(function, at),
            signature=call_signature(call) or signature,
        )
    if (custom := mapping(call, "custom", where)) is not None:
        at = f"{where}.custom"
        name = required_text(custom, "name", at)
        return ToolUse(id=given, name=name, arguments=text(custom, "input", at) or "", kind="custom")
    raise MalformedRequest(f"`{where}` is a call without a `function`", f"{where}.function")


def _arguments(function: dict[str, Any], where: str) -> str:
    """JSON text, as the model wrote it. What a provider sends as an object is made text before."""
    return text(function, "arguments", where) or ""
