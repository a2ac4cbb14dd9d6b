"""Spoiling a binary event stream: what the faults of events are there."""

from collections.abc import Callable

from msgspec.structs import replace

from bascule.testing.bedrock_wire import EVENT_STREAM, framed
from bascule.testing.script import Fault, Script
from bascule.testing.steps import Response, Step

_BAD_UTF8 = b"\xff\xc0"
_BIG_BYTES = 10 * 1024 * 1024


def is_event_stream(response: Response) -> bool:
    return response.chunked and ("content-type", EVENT_STREAM) in response.headers


def _delta(text: bytes) -> bytes:
    return framed("event", "contentBlockDelta", b'{"contentBlockIndex":0,"delta":{"text":"%b"}}' % text)


def _put(response: Response, script: Script, data: bytes) -> Response:
    """Something after `fault_after` content tokens."""
    steps, seen = list(response.steps), 0
    for place, step in enumerate(steps):
        if step.kind == "content" and step.data:
            if seen >= script.fault_after:
                return replace(response, steps=(*steps[:place], Step(data=data), *steps[place:]))
            seen += 1
    return replace(response, steps=(*steps, Step(data=data)))


def _flipped(response: Response, script: Script) -> Response:
    """One bit of a message's payload is another: its checksum does not match."""
    damaged = bytearray(_delta(b"damaged"))
    damaged[-8] ^= 1
    return _put(response, script, bytes(damaged))


def _same(response: Response, script: Script) -> Response:
    return response


FAULTS: dict[Fault, Callable[[Response, Script], Response]] = {
    "bad_checksum": _flipped,
    "bad_json_line": lambda response, script: _put(
        response, script, framed("event", "contentBlockDelta", b'{"broken": ')
    ),
    "invalid_utf8": lambda response, script: _put(response, script, _delta(_BAD_UTF8)),
    "big_line": lambda response, script: _put(response, script, _delta(b"x" * _BIG_BYTES)),
    # Line ends and comments are no matter of this framing.
    "crlf": _same,
    "comments": _same,
}
