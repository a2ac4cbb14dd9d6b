"""Whom an attempt's end tells about, and what of an endpoint may be tried, given the state of all that it needs.

An attempt needs four things to be well, each with a breaker of its own: the endpoint (one model at one provider), the
provider, the credential, and that credential's access to that endpoint. What a client did wrong is told about none.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from bascule.decide.breaker import Status
from bascule.model.catalog import Endpoint
from bascule.model.outcome import ErrorClass, Fault

Kind = Literal["endpoint", "provider", "credential", "access"]

COOLING_S = 2.0
LONGEST_COOLING_S = 60.0
"""A Retry-After beyond this is not believed."""

ANYWHERE = "anywhere"
"""As the place of a provider's failures: nobody could be reached, whichever endpoint was meant."""

_SERVER: frozenset[ErrorClass] = frozenset(
    {
        "overloaded",
        "server_error",
        "timeout_first_byte",
        "timeout_idle",
        "timeout_total",
        "reset",
        "truncated",
        "protocol",
    }
)
_REACH: frozenset[ErrorClass] = frozenset({"connect", "timeout_connect"})
_TURNED_AWAY = 401


class Blame(Struct, frozen=True):
    """What failed. Empty where it was not the provider's side that did."""

    kinds: tuple[Kind, ...] = ()
    unreachable: bool = False
    at_once: bool = False
    """One such failure is enough: what was said will not change by asking again."""
    cools: Kind | None = None
    """What is to be left alone for a while."""


NOBODY = Blame()


def blame(fault: Fault) -> Blame:
    """A 401 is about the credential; a 403 and an exhausted quota are, for all we know, about this model with it."""
    error_class = fault.error_class
    if error_class in _SERVER:
        # Only who was told to wait is left alone: others of the provider may have room.
        return Blame(("endpoint", "provider"), cools=None if fault.retry_after_s is None else "endpoint")
    if error_class in _REACH:
        return Blame(("endpoint", "provider"), unreachable=True)
    if error_class == "rate_limited":
        return Blame(cools="access")
    if error_class == "quota_exhausted":
        return Blame(("access",), at_once=True)
    if error_class == "auth":
        away = fault.status in (None, _TURNED_AWAY)
        return Blame(("credential",), at_once=True) if away else Blame(("access",))
    return NOBODY


def cooling_s(fault: Fault) -> float:
    """How long to leave alone who asked for a pause, in seconds."""
    asked_s = COOLING_S if fault.retry_after_s is None else fault.retry_after_s
    return min(LONGEST_COOLING_S, max(0.0, asked_s))


def credential_id(provider: str, credential: int) -> str:
    """`openai#1` for the first: what it is called in metrics and logs, which never name the secret."""
    return f"{provider}#{credential + 1}"


def access_id(endpoint_id: str, credential: int) -> str:
    return f"{endpoint_id}#{credential + 1}"


_RANK: dict[Status, int] = {"ok": 0, "half_open": 1, "outlier": 2, "cooling": 3, "open": 4}
_PREFERENCE: dict[Status, int] = {**_RANK, "half_open": 0}
"""Whose turn it is looks whether the credential is well again; otherwise nobody ever would."""


def standing(endpoint: Endpoint, health: Mapping[str, Status]) -> Status:
    """The worst of the endpoint, its provider, and the best of its credentials. `health` lacks what is well."""
    if not health:
        return "ok"
    shared = _worse(health.get(endpoint.id, "ok"), health.get(endpoint.provider, "ok"))
    if shared == "open":
        return shared
    best = min(
        (credential_standing(endpoint, number, health) for number in range(endpoint.credentials)),
        key=_RANK.__getitem__,
    )
    return _worse(shared, best)


def credential_standing(endpoint: Endpoint, credential: int, health: Mapping[str, Status]) -> Status:
    """Of one credential at an endpoint, whatever the endpoint itself is like."""
    return _worse(
        health.get(credential_id(endpoint.provider, credential), "ok"),
        health.get(access_id(endpoint.id, credential), "ok"),
    )


def credential_for(
    endpoint: Endpoint, turn: int, health: Mapping[str, Status], tried: frozenset[int] = frozenset()
) -> int | None:
    """The credential whose turn it is, or the next that is well; `turn` is any number that spreads requests.

    None where all were tried already, or are open.
    """
    if endpoint.credentials == 1 and not health:
        return None if tried else 0
    found: int | None = None
    rank = _PREFERENCE["open"]
    for step in range(endpoint.credentials):
        credential = (turn + step) % endpoint.credentials
        if credential in tried:
            continue
        one = _PREFERENCE[credential_standing(endpoint, credential, health)]
        if one < rank:
            found, rank = credential, one
    return found


def _worse(one: Status, other: Status) -> Status:
    return one if _RANK[one] >= _RANK[other] else other
