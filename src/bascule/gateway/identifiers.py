"""Identifiers of requests; those of attempts and decisions follow from them."""

import secrets

from bascule.model.ids import Ulids

_RANDOM_LIMIT = 1 << 80


class Identifiers:
    """Time-ordered request ids."""

    __slots__ = ("_ulids",)

    def __init__(self) -> None:
        self._ulids = Ulids(secrets.randbelow(_RANDOM_LIMIT))

    def request(self, now_ms: int) -> str:
        return "req_" + self._ulids.next(now_ms)


def attempt_id(request_id: str, attempt_no: int) -> str:
    """`att_…` with the number of the attempt behind it: known before dispatch, unique without a draw."""
    return f"att_{request_id[4:]}.{attempt_no}"


def decision_id(request_id: str) -> str:
    return "dec_" + request_id[4:]
