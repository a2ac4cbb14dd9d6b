from typing import Any, get_args

import pytest

from bascule.decide.health import NOBODY, Blame, blame, cooling_s, credential_for, standing
from bascule.model.catalog import Endpoint
from bascule.model.outcome import ErrorClass, Fault


def endpoint(credentials: int = 1) -> Endpoint:
    return Endpoint(id="p/m", provider="p", dialect="openai_chat", upstream_model="m", credentials=credentials)


def fault(error_class: ErrorClass, **more: Any) -> Fault:
    return Fault(error_class=error_class, message="", **more)


@pytest.mark.parametrize(
    "error_class",
    [
        "bad_request", "context_length", "content_filter", "too_large", "not_found", "unsupported", "client_gone",
        "cancelled",
    ],
)  # fmt: skip
def test_what_a_client_did_is_nobodys_fault(error_class: ErrorClass) -> None:
    assert blame(fault(error_class, status=400)) == NOBODY


@pytest.mark.parametrize("error_class", ["server_error", "overloaded", "reset", "truncated", "timeout_first_byte"])
def test_what_a_server_did_is_the_endpoints_and_the_providers(error_class: ErrorClass) -> None:
    assert blame(fault(error_class)) == Blame(("endpoint", "provider"))
    assert blame(fault(error_class, retry_after_s=3.0)).cools == "endpoint"


def test_who_cannot_be_reached_is_the_provider_whatever_was_asked() -> None:
    assert blame(fault("connect")).unreachable


def test_our_accounts_failures_are_told_apart() -> None:
    assert blame(fault("auth", status=401)) == Blame(("credential",), at_once=True)
    # a 403 may be about the model that one client asked for
    assert blame(fault("auth", status=403)) == Blame(("access",))
    assert blame(fault("quota_exhausted", status=429)) == Blame(("access",), at_once=True)
    assert blame(fault("rate_limited", status=429)) == Blame(cools="access")


def test_every_error_class_is_judged() -> None:
    for error_class in get_args(ErrorClass):
        blame(fault(error_class))


def test_pauses_are_believed_up_to_a_minute() -> None:
    assert cooling_s(fault("rate_limited")) == 2.0
    assert cooling_s(fault("rate_limited", retry_after_s=5.0)) == 5.0
    assert cooling_s(fault("rate_limited", retry_after_s=1e12)) == 60.0


@pytest.mark.parametrize(
    ("health", "credentials", "word"),
    [
        ({}, 1, "ok"),
        ({"p/m": "open"}, 1, "open"),
        ({"p": "open"}, 1, "open"),
        ({"p": "half_open", "p/m": "cooling"}, 1, "cooling"),
        ({"p#1": "open"}, 1, "open"),
        ({"p#1": "open"}, 2, "ok"),
        ({"p#1": "open", "p/m#2": "cooling"}, 2, "cooling"),
        ({"p/m": "outlier", "q/m": "open"}, 1, "outlier"),
    ],
)
def test_an_endpoint_is_as_well_as_what_it_needs(health: dict[str, Any], credentials: int, word: str) -> None:
    assert standing(endpoint(credentials), health) == word


def test_whose_turn_it_is() -> None:
    assert [credential_for(endpoint(3), turn, {}) for turn in (0, 1, 2, 3)] == [0, 1, 2, 0]
    assert credential_for(endpoint(3), 1, {"p#2": "open"}) == 2
    assert credential_for(endpoint(3), 1, {"p/m#2": "cooling"}) == 2
    assert credential_for(endpoint(1), 0, {"p/m#1": "cooling"}) == 0
    assert credential_for(endpoint(2), 0, {}, frozenset({0, 1})) is None
    assert credential_for(endpoint(1), 0, {}, frozenset({0})) is None
