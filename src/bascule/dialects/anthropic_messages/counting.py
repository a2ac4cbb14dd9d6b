"""Anthropic's token counting, for translation."""

import msgspec
from msgspec import Raw

from bascule.dialects.base import Body, Target

_COUNTED = ("model", "messages", "system", "tools", "tool_choice", "thinking")
"""What of a request is input (docs.anthropic.com/en/api/messages-count-tokens)."""


def counted_request(body: Body) -> Body:
    """The body is the request."""
    return body


def render_count(tokens: int) -> bytes:
    """The body of an answer."""
    return msgspec.json.encode({"input_tokens": tokens})


def as_count(rendered: bytes, target: Target) -> bytes:
    """A body of `/v1/messages` as a request to count it."""
    members = msgspec.json.decode(rendered, type=dict[str, Raw])
    return msgspec.json.encode({key: members[key] for key in _COUNTED if key in members})
