"""How many values a JSON text can hold at most, without decoding it."""

_OPENING = (b"[", b"{")
_BETWEEN = (b",", *_OPENING)


def most_values(raw: bytes) -> int:
    """No decoder makes more values (names of members aside) of this text: each but the first stands behind one of them.

    Those inside of texts count too, so that it takes a pass at memory's speed: `[]`, decoded, takes thirty times its
    bytes, and the event loop as long as a thousand requests. Prose has some three in a hundred bytes, base64 none.
    """
    return 1 + sum([raw.count(byte) for byte in _BETWEEN])


def most_containers(raw: bytes) -> int:
    """The same of lists and objects alone: vectors are numbers by the million, and those are small."""
    return sum([raw.count(byte) for byte in _OPENING])
