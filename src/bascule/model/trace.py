"""Where a request belongs in a trace: W3C Trace Context's `traceparent` (w3.org/TR/trace-context, level 1)."""

import re

from msgspec import Struct

_TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
MAX_BYTES = 256


class TraceParent(Struct, frozen=True):
    """The caller's span."""

    trace_id: int
    span_id: int
    sampled: bool


def read_traceparent(value: bytes | None) -> TraceParent | None:
    """None where there is none, or one that the specification says to ignore."""
    if value is None or len(value) > MAX_BYTES:
        return None
    found = _TRACEPARENT.fullmatch(value.strip())
    if found is None:
        return None
    return TraceParent(int(found[1], 16), int(found[2], 16), bool(int(found[3], 16) & 1))
