"""Identifiers: time-ordered, made from a clock and randomness that the caller supplies."""

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(high + low for high in _CROCKFORD for low in _CROCKFORD)
_RANDOM_BITS = 80


def ulid(now_ms: int, random_80: int) -> str:
    """A ULID (github.com/ulid/spec): 48 bits of milliseconds, then 80 random bits, as 26 characters.

    `now_ms` is milliseconds since the Unix epoch; `random_80` is a uniform integer below 2**80.
    Identifiers made in one process sort by their millisecond.
    """
    value = (now_ms << _RANDOM_BITS) | random_80
    pairs = _PAIRS
    return "".join([pairs[(value >> shift) & 1023] for shift in range(120, -1, -10)])
