"""What is kept of keys and sessions is bounded, and forgetting a session gives its key nothing."""

from bascule.gateway.dear_shares import DearShares
from bascule.model.policy import DearCap, RoutePolicy

ROUTE = RoutePolicy(name="auto", candidates=("m",), dear=DearCap(key_share=0.1, session_share=0.5, burst=1))


def test_a_forgotten_session_begins_anew_and_its_key_does_not() -> None:
    shares = DearShares(max_sessions=1)
    assert shares.spent(ROUTE, "ci", "one") is None
    shares.count(ROUTE, "ci", "one", dear=True)
    assert shares.spent(ROUTE, "ci", "one") == "the key's share of dear requests (10%) is used up"
    shares.count(ROUTE, "ci", "two", dear=False)
    assert shares.spent(ROUTE, "ci", "one") == "the key's share of dear requests (10%) is used up"
    for _ in range(9):
        shares.count(ROUTE, "ci", None, dear=False)
    assert shares.spent(ROUTE, "ci", "one") is None


def test_routes_and_keys_are_apart_and_a_route_without_a_cap_counts_nothing() -> None:
    shares = DearShares()
    shares.charge(ROUTE, "ci", None)
    assert shares.spent(ROUTE, "ci", None) is not None
    assert shares.spent(ROUTE, "other", None) is None
    assert shares.spent(RoutePolicy(name="auto", candidates=("m",)), "ci", None) is None
