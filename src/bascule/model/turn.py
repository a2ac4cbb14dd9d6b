"""The end of a conversation, as far as it tells whether an agent repeats itself."""

from msgspec import Struct


class Turn(Struct, frozen=True):
    """Digests of samples: equal where what they stand for is, and of no other use."""

    calls: bytes | None
    """The tools that the model called last and with what, if their results are what the request brings; else None."""
    said: bytes
    """The last message, whoever said it."""
