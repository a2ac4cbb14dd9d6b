"""Identifiers: time-ordered, made from a clock and randomness that the caller supplies."""

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(high + low for high in _CROCKFORD for low in _CROCKFORD)
_RANDOM_BITS = 80
_RANDOM_MASK = (1 << _RANDOM_BITS) - 1


def ulid(now_ms: int, random_80: int) -> str:
    """A ULID (github.com/ulid/spec): 48 bits of milliseconds, then 80 random bits, as 26 characters.

    `now_ms` is milliseconds since the Unix epoch; `random_80` is a uniform integer below 2**80.
    Identifiers made in one process sort by their millisecond.
    """
    value = (now_ms << _RANDOM_BITS) | random_80
    pairs = _PAIRS
    return "".join([pairs[(value >> shift) & 1023] for shift in range(120, -1, -10)])


class Ulids:
    """ULIDs that count up from a random start, which keeps them unique without a draw for each.

    Of one to the next only the last characters change, and the time's where a millisecond has passed; the others are
    kept.
    """

    __slots__ = ("_high", "_last", "_ms", "_random", "_time")

    def __init__(self, random_80: int) -> None:
        """`random_80` is a uniform integer below 2**80."""
        self._last = random_80
        self._ms = self._high = -1
        self._time = self._random = ""

    def next(self, now_ms: int) -> str:
        last = self._last = (self._last + 1) & _RANDOM_MASK
        if now_ms != self._ms:
            self._ms = now_ms
            self._time = ulid(now_ms, 0)[:10]
        if last >> 20 != self._high:
            self._high = last >> 20
            self._random = ulid(0, last)[10:22]
        return f"{self._time}{self._random}{_PAIRS[last >> 10 & 1023]}{_PAIRS[last & 1023]}"
