"""The parts of a content to canonical blocks: of requests and of answers."""

from base64 import b64decode
from typing import Any

import msgspec

from bascule.dialects.fields import Holder, flag, mapping, objects, required_text, text, untranslatable, wrong
from bascule.dialects.gemini.signatures import NAME, read
from bascule.dialects.gemini.spelling import camel
from bascule.model.request import (
    Audio,
    Block,
    Carried,
    Document,
    Image,
    RedactedThinking,
    Signature,
    Text,
    Thinking,
    ToolUse,
)

_AUDIO_FORMATS = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav"}
_OF_GOOGLE = ("gs://", "https://generativelanguage.googleapis.com/")


def parse_part(given: Holder, where: str, call_id: str) -> Block | None:
    """One part of any kind but a function's response; `call_id` is for a call that has none. None for a part that says
    nothing. Raises MalformedRequest with the path of what is wrong, or Untranslatable."""
    part = camel(given, where)
    value = text(part, "thoughtSignature", where)
    signature = read(value) if value else None
    if isinstance(signature, RedactedThinking):
        return signature
    if (said := text(part, "text", where)) is not None:
        if flag(part, "thought", where) is True:
            return Thinking(text=said, signature=signature) if said or signature is not None else None
        return Text(text=said, carried=_carried(signature)) if said or signature is not None else None
    if (call := mapping(part, "functionCall", where)) is not None:
        return _call(call, f"{where}.functionCall", call_id, signature)
    if (blob := mapping(part, "inlineData", where)) is not None:
        return parse_blob(blob, f"{where}.inlineData")
    if (file := mapping(part, "fileData", where)) is not None:
        return parse_file(file, f"{where}.fileData")
    if (code := mapping(part, "executableCode", where)) is not None:
        language = (text(code, "language", f"{where}.executableCode") or "").lower()
        return Text(text=f"```{language}\n{text(code, 'code', f'{where}.executableCode') or ''}\n```")
    if (result := mapping(part, "codeExecutionResult", where)) is not None:
        return Text(text=f"```\n{text(result, 'output', f'{where}.codeExecutionResult') or ''}\n```")
    for name in ("toolCall", "toolResponse"):
        if part.get(name) is not None:
            untranslatable(f"{where}.{name}", "what a tool of Google's own did")
    if any(value is not None for name, value in part.items() if name not in ("thought", "thoughtSignature")):
        untranslatable(where, f"a part with {sorted(part)[0][:40]!r}")
    return None


def joined_thoughts(blocks: list[Block]) -> tuple[Block, ...]:
    """Thoughts that were streamed in pieces, the signature behind the last of them, as one."""
    out: list[Block] = []
    for block in blocks:
        before = out[-1] if out else None
        if isinstance(block, Thinking) and isinstance(before, Thinking) and before.signature is None:
            out[-1] = Thinking(text=before.text + block.text, signature=block.signature)
        else:
            out.append(block)
    return tuple(out)


def parse_blob(given: Holder, where: str) -> Block:
    """`inlineData` by its MIME type."""
    blob = camel(given, where)
    mime_type = required_text(blob, "mimeType", where)
    data = standard_base64(required_text(blob, "data", where))
    name = text(blob, "displayName", where)
    kind, _, subtype = mime_type.lower().partition(";")[0].partition("/")
    if kind == "image":
        return Image(data=data, media_type=mime_type)
    if kind == "audio":
        return Audio(data=data, format=_AUDIO_FORMATS.get(subtype, subtype))
    if kind == "text" or mime_type == "application/json":
        return Document(text=_decoded(data, where), media_type="text/plain", name=name)
    if kind == "video":
        untranslatable(where, "a video")
    return Document(data=data, media_type=mime_type, name=name)


def standard_base64(data: str) -> str:
    """Base64 of either alphabet in the usual one: Google's own SDK writes the other, which only Google reads."""
    if "-" not in data and "_" not in data and len(data) % 4 == 0:
        return data
    plain = data.rstrip("=").replace("-", "+").replace("_", "/")
    return plain + "=" * (-len(plain) % 4)


def parse_file(given: Holder, where: str) -> Block:
    """`fileData`: an address, or a file that was given to Google."""
    file = camel(given, where)
    uri = required_text(file, "fileUri", where)
    mime_type = text(file, "mimeType", where) or ""
    name = text(file, "displayName", where)
    if mime_type.startswith(("video/", "audio/")) or "youtube.com/" in uri or "youtu.be/" in uri:
        untranslatable(where, "a film or a sound by its address")
    is_kept_there = uri.startswith(_OF_GOOGLE) or not uri.startswith(("http://", "https://"))
    file_id, url = (uri, None) if is_kept_there else (None, uri)
    if mime_type.startswith("image/"):
        return Image(file_id=file_id, url=url, media_type=mime_type)
    return Document(file_id=file_id, url=url, media_type=mime_type or None, name=name)


def parse_result_parts(response: Holder, where: str) -> list[Block]:
    """The parts of a function's response, which hold data only."""
    blocks: list[Block] = []
    for at, given in enumerate(objects(response, "parts", where)):
        place = f"{where}.parts[{at}]"
        part = camel(given, place)
        if (blob := mapping(part, "inlineData", place)) is not None:
            blocks.append(parse_blob(blob, f"{place}.inlineData"))
        elif (file := mapping(part, "fileData", place)) is not None:
            blocks.append(parse_file(file, f"{place}.fileData"))
    return blocks


def result_text(value: Any) -> tuple[str, bool]:
    """(what a function gave back, whether that is an error), from the object that this dialect wants.

    `output` and `error` are the documented keys; SDKs also write `result` and `name` with `content`.
    """
    if not value:
        return "", False
    keys = value.keys()
    for name, whole in (("output", {"output"}), ("result", {"result"}), ("content", {"name", "content"})):
        if keys == whole:
            return _as_text(value[name]), False
    if keys == {"error"}:
        return _as_text(value["error"]), True
    return _as_text(value), False


def _call(given: Holder, where: str, call_id: str, signature: Signature | None) -> ToolUse:
    call = camel(given, where)
    return ToolUse(
        id=text(call, "id", where) or call_id,
        name=required_text(call, "name", where),
        arguments=msgspec.json.encode(mapping(call, "args", where) or {}).decode(),
        signature=signature,
    )


def _as_text(value: Any) -> str:
    return value if type(value) is str else msgspec.json.encode(value).decode()


def _carried(signature: Signature | None) -> Carried:
    if signature is None or signature.dialect != NAME:
        return {}
    return {NAME: {"thoughtSignature": signature.value}}


def _decoded(data: str, where: str) -> str:
    try:
        return b64decode(data, validate=True).decode()
    except ValueError:
        wrong(where, "data", "base64 of UTF-8 text, as its MIME type says")
