"""Bytes made wrong: from a sound input to one that no client or provider should send."""

import json
import random
from typing import Any

_ODD: tuple[Any, ...] = (None, True, 0, -1, 1e308, "", "x", "\ud800", [], {}, [[]], {"": None}, 2**70, "é" * 40)
_SPLICES = (b"\x00", b"\xff", b"\xed\xa0\x80", b"\r", b"\n\n", b"data: ", b"event: ", b"{", b'"', b"[DONE]", b"\\u0000")


def mutated(data: bytes, dice: random.Random) -> bytes:
    """One input, changed in one to three places: as JSON where it is JSON, else as bytes."""
    for _ in range(dice.randint(1, 3)):
        data = _json(data, dice) if dice.random() < 0.6 else _bytes(data, dice)
    return data


def _bytes(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data) + 1)
    match dice.randrange(6):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + dice.choice(_SPLICES) + data[at:]
        case 2:
            return data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]
        case 3:
            end = min(len(data), at + dice.randrange(1, 64))
            return data[:at] + data[end:]
        case 4:
            end = min(len(data), at + dice.randrange(1, 256))
            return data[:end] + data[at:end] + data[end:]
        case _:
            return dice.randbytes(dice.randrange(64))


def _json(data: bytes, dice: random.Random) -> bytes:
    """A document with a value exchanged; of a stream, one of its events' data."""
    lines = data.split(b"\n")
    places = [place for place, line in enumerate(lines) if line.startswith(b"data: {")]
    if places:
        place = dice.choice(places)
        lines[place] = b"data: " + _document(lines[place][6:], dice)
        return b"\n".join(lines)
    return _document(data, dice)


def _document(data: bytes, dice: random.Random) -> bytes:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return _bytes(data, dice)
    holders = list(_holders(value))
    if not holders:
        return json.dumps(dice.choice(_ODD)).encode()
    holder, key = dice.choice(holders)
    match dice.randrange(4):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[dice.choice((key.upper(), key + "s", "type", "id"))] = holder[key]
        case 2:
            other, name = dice.choice(holders)
            holder[key] = json.loads(json.dumps(other[name]))
        case _:
            holder[key] = dice.choice(_ODD)
    return json.dumps(value).encode()


def _holders(value: Any) -> Any:
    """Every (container, key) below a value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield value, key
            yield from _holders(inner)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield value, place
            yield from _holders(inner)
