"""How much longer the numbers of a body get where they are decoded and written anew, as translation does it.

`1e15` is written `1000000000000000.0`. The bound of a request's input counts the client's bytes, so that a schema or
a call full of such numbers would cost more than was held for it.
"""

from typing import Any

import msgspec

from bascule.dialects.base import Body

MOST_GAINED_BYTES = 14
"""Of `1e15`. From 1e16 on, and below 1e-5, an exponent is written again."""
_KINDS = bytes(
    ord("0") if char in b"0123456789" else ord("e") if char in b"eE" else ord("+") if char in b"+-" else ord(" ")
    for char in range(256)
)
_EXPONENTS = (b"0e0", b"0e+")
"""Of kinds: where a number may get longer. So do digits and letters of other words, which a bound may count too."""
_WIDE = b"0" * 20
_SAMPLED = b"0" * 5
"""An integer beyond 64 bits becomes `1.8446744073709552e19`: one character more than its 20 digits."""


def as_written(body: Body, raw: bytes) -> Body:
    """A decoded body with its integers as `raw` has them, where that is to be written anew.

    The fast decoder, which is enough where bytes go on as they came, makes floats of integers beyond 64 bits. What the
    path of a request said (`model`, `stream`) stands in the body alone, and stays.
    """
    # Every fourth byte tells of most bodies that they have no number so long, at half of the time.
    if _SAMPLED not in raw[::4].translate(_KINDS) or _WIDE not in raw.translate(_KINDS):
        return body
    try:
        exact = msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body  # it has a number beyond all range, too, which no decoder keeps
    return {**exact, **{name: body[name] for name in ("model", "stream") if name in body}}


def gained_bytes(raw: bytes) -> int:
    """An upper bound of what all numbers gain together, those inside of texts too: a call's arguments are such."""
    kinds = raw.translate(_KINDS)
    return kinds.count(_WIDE) + MOST_GAINED_BYTES * sum(map(kinds.count, _EXPONENTS))
