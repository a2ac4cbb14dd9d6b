"""One event of a Responses stream, decoded into just the fields that a relay must see."""

from typing import Any

import msgspec
from msgspec import Struct

from bascule.dialects.openai_responses.response import WireResponse


class Event(Struct):
    type: str
    delta: Any = None
    item: Any = None
    part: Any = None
    response: WireResponse | None = None
    output_index: Any = None
    summary_index: Any = None
    sequence_number: Any = None


decode_event = msgspec.json.Decoder(Event).decode
"""Raises msgspec.ValidationError where the JSON is no event, msgspec.DecodeError where it is no JSON."""

TEXT_DELTAS = frozenset(
    {"response.output_text.delta", "response.refusal.delta", "response.reasoning_summary_text.delta"}
    | {"response.reasoning_text.delta", "response.function_call_arguments.delta"}
    | {"response.custom_tool_call_input.delta", "response.mcp_call_arguments.delta"}
    | {"response.code_interpreter_call_code.delta", "response.audio.transcript.delta"}
)
"""Events whose `delta` is generated text."""
TERMINAL = frozenset({"response.completed", "response.incomplete"})
FAILED = frozenset({"response.failed", "response.cancelled"})
QUIET_ITEMS = ("message", "reasoning")
"""Items whose beginning shows nothing yet."""
