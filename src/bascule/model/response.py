"""A whole answer in canonical form. Usage stands beside it: each dialect maps its own, once."""

from typing import Any

from msgspec import Struct

from bascule.model.request import Block, Carried


class Choice(Struct, frozen=True, kw_only=True):
    content: tuple[Block, ...]
    finish_reason: str | None = None
    """stop, length, tool_use, content_filter, refusal, pause, or the provider's own word where it is none of these."""
    stop_sequence: str | None = None
    logprobs: Any = None


class Response(Struct, frozen=True, kw_only=True):
    """One answer, with as many choices as were asked for."""

    id: str | None
    model: str | None
    choices: tuple[Choice, ...]
    carried: Carried = {}
