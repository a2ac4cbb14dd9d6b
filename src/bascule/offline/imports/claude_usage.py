"""The usage of Claude Code's lines: Anthropic's usage object, as `dialects.anthropic_messages.usage` reads it.

What is plain, which is nearly all, is read by a typed decoder in a third of the time; it gives what `read_usage` gives
(a law in the tests), and whatever is odd goes there.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, structs

from bascule.dialects.anthropic_messages.usage import read_usage
from bascule.dialects.counts import MAX_COUNT
from bascule.model.usage import Usage
from bascule.offline.imports.times import Implausible

Tokens = Annotated[int, Meta(ge=0, le=MAX_COUNT)]
MAX_RAW_BYTES = 4_096


class _Writes(Struct, gc=False):
    ephemeral_5m_input_tokens: Tokens | None = None
    ephemeral_1h_input_tokens: Tokens | None = None


class _Tools(Struct, gc=False):
    web_search_requests: Tokens | None = None


class _Plain(Struct, gc=False):
    input_tokens: Tokens
    output_tokens: Tokens
    cache_read_input_tokens: Tokens | None = None
    cache_creation_input_tokens: Tokens | None = None
    cache_creation: _Writes | None = None
    server_tool_use: _Tools | None = None
    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None
    output_tokens_details: None = None
    iterations: Annotated[list[Any], Meta(max_length=0)] | None = None


_decode_plain = msgspec.json.Decoder(_Plain).decode
_decode_wire = msgspec.json.Decoder(dict[str, Any]).decode


def usage_of(raw: bytes) -> Usage:
    """The usage of a line, its raw text kept. Raises msgspec.DecodeError or UnicodeDecodeError."""
    if not raw.startswith(b"{"):
        return Usage()
    try:
        plain = _decode_plain(raw)
    except msgspec.ValidationError:
        return _odd_usage(raw)
    total, parts = plain.cache_creation_input_tokens, plain.cache_creation
    long = None if parts is None else parts.ephemeral_1h_input_tokens
    if total is None or (long is not None and long > total) or len(raw) > MAX_RAW_BYTES:
        return _odd_usage(raw)
    read, tools = plain.cache_read_input_tokens, plain.server_tool_use
    nothing = not (plain.input_tokens or plain.output_tokens or read or total)
    return Usage(
        tokens_in=plain.input_tokens,
        tokens_cache_read=read,
        tokens_cache_write_5m=total - (long or 0),
        tokens_cache_write_1h=long,
        tokens_out=plain.output_tokens,
        web_searches=None if tools is None else tools.web_search_requests,
        service_tier="fast" if plain.speed == "fast" else plain.service_tier,
        inference_geo=plain.inference_geo or None,
        source="reported",
        flags=("zero",) if nothing else (),
        raw=raw.decode(),
    )


def check_counts(raw: bytes) -> None:
    """Of a usage some count of which was cut. Raises Implausible where one is larger than any call's."""
    left: list[Any] = [_decode_wire(raw)]
    while left:
        found = left.pop()
        if isinstance(found, dict):
            left += found.values()
        elif isinstance(found, list):
            left += found
        elif isinstance(found, int | float) and found > MAX_COUNT:
            raise Implausible(f"a count above {MAX_COUNT:,}")


def _odd_usage(raw: bytes) -> Usage:
    usage = read_usage(_decode_wire(raw))
    return structs.replace(usage, raw=raw.decode()) if len(raw) <= MAX_RAW_BYTES else usage
