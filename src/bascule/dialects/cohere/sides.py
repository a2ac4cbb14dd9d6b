"""Cohere's chat as providers speak it, for translation."""

from typing import Any

import msgspec

from bascule.dialects.cohere.parse_response import parse_response
from bascule.dialects.cohere.read_events import ChatEvents
from bascule.dialects.cohere.render_request import render_request
from bascule.dialects.cohere.tool_names import NAME_CHARS, fit_name
from bascule.dialects.cohere.usage import read_usage
from bascule.dialects.translate import ProviderSide
from bascule.model.usage import Usage


class _UsageOnly(msgspec.Struct):
    usage: Any = None


def _usage(raw: bytes) -> Usage:
    return read_usage(msgspec.json.decode(raw, type=_UsageOnly).usage)


PROVIDER = ProviderSide(
    render_request=render_request,
    name_chars=NAME_CHARS,
    fit_name=fit_name,
    read_usage=_usage,
    parse_response=parse_response,
    source=ChatEvents,
)
