"""A whole `GenerateContentResponse` to canonical form."""

from typing import Any

import msgspec

from bascule.dialects.fields import text_or_none
from bascule.dialects.gemini.response import Candidate, decode_reply, finish_reason, parts_of
from bascule.dialects.gemini.signatures import NAME
from bascule.dialects.names import made_call_id
from bascule.model.request import Block, Image, Signature, Text, Thinking, ToolUse
from bascule.model.response import Choice, Response


def parse_response(raw: bytes) -> Response:
    """`raw` has passed `read_reply`. A blocked prompt is a choice that says nothing."""
    reply = decode_reply(raw)
    response_id = text_or_none(reply.responseId)
    choices = [_choice(candidate, response_id, at) for at, candidate in enumerate(reply.candidates or ())]
    if not choices:
        choices = [Choice(content=(), finish_reason="content_filter")]
    return Response(id=response_id, model=text_or_none(reply.modelVersion), choices=tuple(choices))


def _choice(candidate: Candidate, response_id: str | None, at: int) -> Choice:
    content: list[Block] = []
    calls = 0
    for part in parts_of(candidate):
        if (block := answered_block(part, made_call_id(response_id, at, calls))) is not None:
            calls += isinstance(block, ToolUse)
            content.append(block)
    return Choice(content=tuple(content), finish_reason=finish_reason(candidate.finishReason, calls > 0))


def answered_block(part: dict[str, Any], call_id: str) -> Block | None:
    """A provider's part as a block; None for what no other dialect has a word for. Signatures stay with calls, whose
    ids carry them to any client; those of texts and thoughts are kept beside them."""
    value = text_or_none(part.get("thoughtSignature"))
    carried = {NAME: {"thoughtSignature": value}} if value else {}
    if type(text := part.get("text")) is str:
        if not text:
            return None
        return Thinking(text=text, carried=carried) if part.get("thought") is True else Text(text=text, carried=carried)
    if type(call := part.get("functionCall")) is dict:
        arguments = call.get("args")
        return ToolUse(
            id=text_or_none(call.get("id")) or call_id,
            name=text_or_none(call.get("name")) or "unknown",
            arguments=msgspec.json.encode(arguments if arguments is not None else {}).decode(),
            signature=Signature(NAME, value) if value else None,
        )
    if type(code := part.get("executableCode")) is dict and type(source := code.get("code")) is str:
        return Text(text=f"```\n{source}\n```")
    if type(blob := part.get("inlineData")) is dict:
        media_type, data = text_or_none(blob.get("mimeType")), text_or_none(blob.get("data"))
        if media_type is not None and media_type.startswith("image/") and data:
            return Image(data=data, media_type=media_type)
    return None
