"""A whole answer that came with status 200 and is not quite JSON: what can be understood of it without guessing.

The provider has billed it, so it is worth reading. Servers of one's own write `NaN` for a log probability, a byte
order mark in front, a line feed in a string, or something behind the end.
"""

import json
from collections.abc import Callable
from typing import Any, NoReturn

from bascule.dialects.base import ReplyFacts
from bascule.dialects.fields import as_utf8
from bascule.model.outcome import Fault

MAX_MENDED_BYTES = 8 * 1024 * 1024
"""Reading leniently blocks the loop for some 10 ms a megabyte, so there is an end to it."""


def understood(raw: bytes, read: Callable[[bytes], ReplyFacts | Fault]) -> tuple[bytes, ReplyFacts | Fault]:
    """An answer and what `read` makes of it: as it came, or mended where only that can be read."""
    text = as_utf8(raw)
    found = read(text)
    if not isinstance(found, Fault) or found.error_class != "protocol":
        return text, found
    better = mended(text)
    again = found if better is None else read(better)
    return (raw, found) if better is None or isinstance(again, Fault) else (better, again)


def mended(raw: bytes) -> bytes | None:
    """The JSON object that `raw` begins with, as JSON; None where there is none.

    What is valid keeps its bytes. Otherwise the object is written anew, with `NaN` and infinities, which JSON does
    not have, as null.
    """
    if len(raw) > MAX_MENDED_BYTES:
        return None
    text = raw.decode("utf-8-sig").lstrip()
    try:
        value, end = _STRICT.raw_decode(text)
        return text[:end].encode() if isinstance(value, dict) else None
    except (ValueError, RecursionError):
        pass  # not JSON as it stands; read again, leniently
    try:
        value, _ = _LENIENT.raw_decode(text)
        return json.dumps(value).encode() if isinstance(value, dict) else None
    except (ValueError, RecursionError):
        return None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _null(_: str) -> Any:
    return None


_STRICT = json.JSONDecoder(parse_constant=_no_constant)
_LENIENT = json.JSONDecoder(parse_constant=_null, strict=False)
