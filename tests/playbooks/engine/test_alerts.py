"""What happens to requests is told to operators: each event's fields are those of its table."""

from tests.playbooks.engine.conftest import Begin
from tests.playbooks.engine.wire import answered, chat, usage

from bascule.model.alert import KINDS, Alert
from bascule.testing.transport import whole


def told_of(world: object) -> list[Alert]:
    """Everything that is told from now on."""
    alerts: list[Alert] = []
    world.gateway.alerting.listeners.append(alerts.append)  # type: ignore[attr-defined]  # a Playbook
    return alerts


def test_a_breaker_that_opens_and_closes(begin: Begin) -> None:
    world = begin(*[whole({"error": {"message": "down"}}, status=500)] * 5, answered(), more="retry: {max_attempts: 1}")
    alerts = told_of(world)
    for _ in range(5):
        world.ask(chat("small"))
    world.clock.advance(120)
    assert world.ask(chat("small")).status == 200
    assert {alert.event for alert in alerts} == {"breaker_open", "breaker_closed"}
    for alert in alerts:
        assert set(alert.fields) == set(KINDS[alert.event].fields)
        assert "one" in alert.summary
    assert world.gateway.metrics.alerts["breaker_open"] >= 1


def test_a_prompt_cache_that_stops(begin: Begin) -> None:
    shares = (0, *[18_000] * 5, 0, 0, 0)
    world = begin(*[answered(usage=usage(20_000, 5, prompt_tokens_details={"cached_tokens": n})) for n in shares])
    alerts = told_of(world)
    for _ in shares:
        world.clock.advance(20)
        world.ask(chat("small"), headers={"x-session-id": "s"})
    (alert,) = alerts
    assert alert.event == "cache_collapse"
    assert set(alert.fields) == set(KINDS["cache_collapse"].fields)
