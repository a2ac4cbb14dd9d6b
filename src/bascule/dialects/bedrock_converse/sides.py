"""Converse as providers speak it, for translation."""

from typing import Any

import msgspec

from bascule.dialects.bedrock_converse.parse_response import parse_response
from bascule.dialects.bedrock_converse.read_events import ConverseEvents
from bascule.dialects.bedrock_converse.render_content import NAME_CHARS
from bascule.dialects.bedrock_converse.render_request import render_request
from bascule.dialects.bedrock_converse.usage import read_usage
from bascule.dialects.event_stream import EventStreamParser
from bascule.dialects.translate import ProviderSide
from bascule.model.usage import Usage


class _UsageOnly(msgspec.Struct):
    usage: Any = None
    serviceTier: Any = None  # noqa: N815 - the wire's own name


def _usage(raw: bytes) -> Usage:
    told = msgspec.json.decode(raw, type=_UsageOnly)
    return read_usage(told.usage, told.serviceTier)


PROVIDER = ProviderSide(
    render_request=render_request,
    name_chars=NAME_CHARS,
    read_usage=_usage,
    parse_response=parse_response,
    source=ConverseEvents,
    framing=EventStreamParser,
)
