"""What happens to the process, told in the words of the table."""

from bascule.gateway.operator_alerts import OperatorAlerts
from bascule.gateway.wellbeing import BreakerChange
from bascule.model.alert import KINDS, Alert
from bascule.model.errors import ConfigError, Problem, StoreError
from bascule.testing.clock import NOON_MS, FakeClock

SECRET = "sk-canary-0123456789"


def test_each_has_the_fields_of_its_event_and_no_more() -> None:
    told: list[Alert] = []
    alerts = OperatorAlerts(clock=FakeClock(NOON_MS), tell=told.append)
    alerts.breaker(BreakerChange(kind="provider", target="one", state="open"))
    alerts.breaker(BreakerChange(kind="provider", target="one", state="closed"))
    alerts.reload_refused(ConfigError((Problem("bascule.yaml:3:1", f"{SECRET} is not a name", "Mend it"),)))
    alerts.reload_refused(StoreError(f"{SECRET}"))
    alerts.memory_short("large", 5, 10)
    assert [alert.event for alert in told] == [
        "breaker_open", "breaker_closed", "reload_failed", "reload_failed", "memory_high",
    ]  # fmt: skip
    for alert in told:
        assert set(alert.fields) == set(KINDS[alert.event].fields)
        assert SECRET not in f"{alert}"
    assert told[2].fields == {"first_mistake_at": "bascule.yaml:3:1", "mistakes": 1}
