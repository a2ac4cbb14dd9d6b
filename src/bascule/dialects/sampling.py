"""Digests of JSON values by a bounded sample: a call that writes a file of 200 KB is not read whole."""

from hashlib import blake2b
from typing import Any

HEAD_CHARS = 256
"""Of each text, from its beginning and from its end; its length counts as well."""
MAX_VALUES = 64
"""Of one value; what lies behind them does not count."""
MAX_DEPTH = 6


def digest(values: list[Any]) -> bytes:
    """Eight bytes. Mappings are taken in the order in which they came, as models repeat it."""
    pieces: list[str] = []
    _collect(values, pieces, 0)
    return blake2b("\0".join(pieces).encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _collect(value: Any, pieces: list[str], depth: int) -> None:
    if len(pieces) >= MAX_VALUES:
        return
    if type(value) is str:
        if len(value) > 2 * HEAD_CHARS:
            value = f"{len(value)} {value[:HEAD_CHARS]}{value[-HEAD_CHARS:]}"
        pieces.append(value)
    elif type(value) is dict and depth < MAX_DEPTH:
        for key, held in value.items():
            pieces.append(key[:HEAD_CHARS])
            _collect(held, pieces, depth + 1)
            if len(pieces) >= MAX_VALUES:
                return
    elif type(value) is list and depth < MAX_DEPTH:
        for held in value:
            _collect(held, pieces, depth + 1)
            if len(pieces) >= MAX_VALUES:
                return
    else:
        pieces.append(f"{type(value).__name__} {value}" if not isinstance(value, dict | list) else "…")
