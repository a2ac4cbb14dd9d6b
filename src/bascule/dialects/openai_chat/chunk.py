"""One chunk of a Chat Completions stream, decoded into just the fields that a relay must see."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from bascule.dialects.fields import NULL


class Delta(Struct, gc=False):
    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    refusal: Any = None
    tool_calls: Any = None
    function_call: Any = None
    audio: Any = None


class ChunkChoice(Struct, gc=False):
    delta: Delta | None = None
    index: Any = 0
    finish_reason: Any = None
    error: Any = None


class Chunk(Struct):
    choices: list[ChunkChoice] | None = None
    id: Any = None
    model: Any = None
    usage: Raw = NULL
    error: Any = None
    service_tier: Any = None


decode_chunk = msgspec.json.Decoder(Chunk).decode
"""Raises msgspec.ValidationError where the JSON is no chunk, msgspec.DecodeError where it is no JSON."""
