"""JSON with numbers that msgspec's decoder does not take, though it skips them where nobody reads them.

So an answer may pass its dialect's reading, which looks at few fields, and be refused when all of it is decoded.
"""

import json
import math
from typing import Any

import msgspec

_MAX_DIGITS = 18
"""Of an integer that is kept as it is: what 64 bits hold."""
_BEYOND: int = 10**_MAX_DIGITS


def decode_answer(raw: bytes) -> Any:
    """The value of JSON that has passed its dialect's reading. An integer without end becomes one that is beyond
    belief for any field, and a float beyond all bounds null.
    """
    try:
        return msgspec.json.decode(raw)
    except msgspec.ValidationError:
        return _LENIENT.decode(raw.decode())


def _integer(digits: str) -> int:
    if len(digits) <= _MAX_DIGITS:
        return int(digits)
    return -_BEYOND if digits.startswith("-") else _BEYOND


def _finite(digits: str) -> float | None:
    value = float(digits)
    return value if math.isfinite(value) else None


_LENIENT = json.JSONDecoder(parse_int=_integer, parse_float=_finite)
