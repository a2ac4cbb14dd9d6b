"""Identifiers of requests; those of attempts and decisions follow from them."""

import secrets

from bascule.model.ids import ulid

_RANDOM_LIMIT = 1 << 80


class Identifiers:
    """Time-ordered request ids. A random start and a counter keep them unique without a draw for each."""

    __slots__ = ("_next",)

    def __init__(self) -> None:
        self._next = secrets.randbelow(_RANDOM_LIMIT)

    def request(self, now_ms: int) -> str:
        self._next = (self._next + 1) % _RANDOM_LIMIT
        return "req_" + ulid(now_ms, self._next)


def attempt_id(request_id: str, attempt_no: int) -> str:
    """`att_…` with the number of the attempt behind it: known before dispatch, unique without a draw."""
    return f"att_{request_id[4:]}.{attempt_no}"


def decision_id(request_id: str) -> str:
    return "dec_" + request_id[4:]
