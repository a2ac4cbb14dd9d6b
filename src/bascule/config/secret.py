"""A secret that cannot be printed by accident."""

from hashlib import sha256
from hmac import compare_digest
from typing import NoReturn, final


@final
class Secret:
    """A credential. Every way of showing it gives `***` and a fingerprint; only `reveal` gives the bytes.

    The fingerprint (eight hex digits of a salted SHA-256) tells two secrets apart in a log without telling either.
    JSON encoders refuse the type; with `default=str` they write the masked form.
    """

    __slots__ = ("_value", "fingerprint")

    def __init__(self, value: bytes) -> None:
        self._value = value
        self.fingerprint = sha256(b"bascule secret fingerprint\0" + value).hexdigest()[:8]

    def reveal(self) -> bytes:
        """The secret itself: for an upstream header or a comparison, never for output."""
        return self._value

    def __repr__(self) -> str:
        return f"***{self.fingerprint}"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled or copied; pass the object itself")
