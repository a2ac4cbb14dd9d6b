"""Identifiers of requests; those of attempts and decisions follow from them."""

import secrets
from hashlib import blake2b

from bascule.model.identity import Identity
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


def cache_key(key_name: str, identity: Identity) -> str | None:
    """What all requests of one agent in one session have in common, told to nobody but as a digest; None without a
    session. Salted with the key's name, so that two clients who call their sessions alike share nothing."""
    if identity.session_id is None:
        return None
    text = f"{key_name}\0{identity.session_id}\0{identity.agent_id or ''}"
    return "b-" + blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
