"""Request headers, looked up by lower-case name."""

from collections.abc import Sequence


class Headers:
    """ASGI's list of (lower-case name, value) pairs as a dictionary, built once; the first of repeated names wins.

    Names that were sent more than once are still all there: `all` gives every value in the order sent.
    """

    __slots__ = ("_first", "_repeats", "pairs")

    def __init__(self, pairs: Sequence[tuple[bytes, bytes]]) -> None:
        self.pairs = pairs
        first = dict(pairs)
        self._repeats = len(first) != len(pairs)
        self._first = dict(reversed(pairs)) if self._repeats else first

    @property
    def has_repeats(self) -> bool:
        """Some name was sent more than once."""
        return self._repeats

    def get(self, name: bytes) -> bytes | None:
        return self._first.get(name)

    def has_any(self, names: frozenset[bytes]) -> bool:
        """Whether any of these was sent. One look instead of many where mostly none was."""
        return not names.isdisjoint(self._first)

    def all(self, name: bytes) -> list[bytes]:
        """Every value of `name`, in the order sent; empty where it was not sent."""
        if name not in self._first:
            return []
        if not self._repeats:
            return [self._first[name]]
        return [value for sent, value in self.pairs if sent == name]

    def names(self) -> list[bytes]:
        """Each name once."""
        return list(self._first)
