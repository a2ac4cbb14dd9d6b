from bascule.decide.breaker import BreakerPolicy
from bascule.decide.outlier import OutlierPolicy
from bascule.gateway.wellbeing import MAX_TARGETS, BreakerChange, Wellbeing
from bascule.model.catalog import Endpoint
from bascule.model.outcome import ErrorClass, Fault
from bascule.model.plan import Candidate


def endpoint(name: str = "p/m") -> Endpoint:
    return Endpoint(id=name, provider=name.partition("/")[0], dialect="openai_chat", upstream_model="m")


def failing(wellbeing: Wellbeing, error_class: ErrorClass, *names: str, now_s: float = 0.0) -> None:
    for name in names:
        fault = Fault(error_class=error_class, message="", status=401)
        wellbeing.observe(endpoint(name), 0, fault, began_s=now_s, now_s=now_s)


def test_an_endpoints_failures_are_not_its_providers_until_another_fails_too() -> None:
    wellbeing = Wellbeing(BreakerPolicy())
    failing(wellbeing, "server_error", *["p/m"] * 9)
    assert wellbeing.statuses(0.5) == {"p/m": "open"}
    failing(wellbeing, "server_error", "p/n")
    assert wellbeing.statuses(0.5) == {"p/m": "open", "p": "open"}


def test_who_cannot_be_reached_is_the_provider_at_once() -> None:
    wellbeing = Wellbeing(BreakerPolicy())
    failing(wellbeing, "connect", *["p/m"] * 5)
    assert wellbeing.statuses(0.5) == {"p/m": "open", "p": "open"}


def test_changes_are_told_once_each() -> None:
    told: list[BreakerChange] = []
    wellbeing = Wellbeing(BreakerPolicy())
    wellbeing.listeners.append(told.append)
    failing(wellbeing, "auth", "p/m", "p/m")
    assert wellbeing.begin(endpoint(), 0, 1.5)
    wellbeing.observe(endpoint(), 0, None, began_s=1.5, now_s=1.6)
    assert [(change.kind, change.target, change.state) for change in told] == [
        ("credential", "p#1", "open"),
        ("credential", "p#1", "closed"),
    ]
    assert wellbeing.statuses(1.7) == {}


def test_a_reload_forgets_credentials_and_keeps_the_rest() -> None:
    wellbeing = Wellbeing(BreakerPolicy())
    failing(wellbeing, "auth", "p/m")
    failing(wellbeing, "server_error", *["p/m"] * 5)
    wellbeing.use(BreakerPolicy(), None)
    assert wellbeing.statuses(0.5) == {"p/m": "open"}
    wellbeing.use(None, None)
    assert wellbeing.statuses(0.5) == {}


def test_without_a_policy_nobody_is_left_alone() -> None:
    wellbeing = Wellbeing(None, None)
    failing(wellbeing, "connect", *["p/m"] * 50)
    assert wellbeing.statuses(0.5) == {}


def test_what_is_remembered_is_bounded_and_grows_old() -> None:
    wellbeing = Wellbeing(BreakerPolicy())
    failing(wellbeing, "server_error", *[f"p/{number}" for number in range(MAX_TARGETS + 5)])
    assert len(wellbeing._unwell) <= MAX_TARGETS
    wellbeing.statuses(700.0)
    wellbeing.statuses(700.0)
    assert all(kept.breaker.opened_s is not None for kept in wellbeing._unwell.values())


def test_an_outlier_is_tried_last_until_what_it_has_shown_is_old() -> None:
    wellbeing = Wellbeing(BreakerPolicy(), OutlierPolicy())
    for number in range(60):
        for name, first_s in (("p/m", 4.0), ("q/m", 0.4)):
            wellbeing.compare(Candidate(model="m", endpoint=endpoint(name), reason=""), None, first_s, number * 0.1)
    assert wellbeing.statuses(6.0) == {"p/m": "outlier"}
    assert wellbeing.statuses(70.0) == {}
