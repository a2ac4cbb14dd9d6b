"""A budget that reaches a threshold is told of once, whatever restarts and reloads come between."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.compose import open_store
from bascule.config.shape import Config
from bascule.decide.alerts import reached
from bascule.gateway.alerts import MAX_TOLD, SETTING, BudgetAlerts
from bascule.gateway.metrics import Metrics
from bascule.model.budget import Attribution, BudgetState
from bascule.model.errors import StoreError
from bascule.model.policy import Budget
from bascule.storage.memory.authority import MemoryAuthority
from bascule.testing.clock import NOON_MS, FakeClock

CI = Attribution(key="ci", user="ann")
DAY_MS = 86_400_000


def state_of(settled: int, limit: int = 100, held: int = 0) -> BudgetState:
    return BudgetState(
        scope="key:ci", window_id="total", mode="warn", limit_nanousd=limit, settled_nanousd=settled, held_nanousd=held
    )


def test_a_threshold_is_reached_exactly() -> None:
    alerts = (1.0, 0.5, 0.8)
    assert reached(state_of(49), alerts) == []
    assert reached(state_of(50), alerts) == [0.5]
    assert reached(state_of(120), alerts) == [0.5, 0.8, 1.0]
    assert reached(state_of(10, held=90), alerts) == []
    # 0.07 * 10^18 in binary numbers is not 7 * 10^16.
    assert reached(state_of(7 * 10**16, 10**18), (0.07,)) == [0.07]
    assert reached(state_of(7 * 10**16 - 1, 10**18), (0.07,)) == []


def test_a_limit_of_nothing_is_reached_by_the_first_nano_dollar() -> None:
    assert reached(state_of(0, 0), (0.5,)) == []
    assert reached(state_of(1, 0), (0.5, 1.0)) == [0.5, 1.0]


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.sets(st.floats(0.001, 10)))
def test_more_spend_never_takes_an_alert_back(settled: int, limit: int, alerts: set[float]) -> None:
    assert set(reached(state_of(settled, limit), alerts)) <= set(reached(state_of(settled + 1, limit), alerts))


class Office:
    """Authority, store and alerts of one gateway, with the lines it has logged."""

    def __init__(self, folder: Path, *budgets: Budget, settings: Any = None) -> None:
        self.clock = FakeClock(NOON_MS)
        self.authority = MemoryAuthority(budgets, lambda scope, bounds: 0)
        self.metrics = Metrics()
        self.store = open_store(folder, Config())
        self.alerts = BudgetAlerts(
            authority=self.authority,
            settings=settings or self.store.governance,
            clock=self.clock,
            metrics=self.metrics,
        )
        self._count = 0

    def spend(self, cost: int, who: Attribution = CI) -> None:
        self._count += 1
        hold = self.authority.reserve(who, f"a{self._count}", cost, self.clock.now_ms())
        assert not hasattr(hold, "kind"), hold
        self.authority.settle(hold, cost)  # type: ignore[arg-type]

    def look(self) -> None:
        asyncio.run(self.alerts.look())


def budget(scope: str = "key:ci", limit: int = 100, **more: Any) -> Budget:
    return Budget(
        **{"scope": scope, "limit_nanousd": limit, "window": "day", "mode": "warn", "alerts": (0.5, 1.0), **more}
    )


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Any:
    """(scope, threshold) of every alert logged since the last look at it."""
    caplog.set_level(logging.WARNING, "bascule.budgets")

    def since() -> list[tuple[str, float]]:
        found = [(r.scope, r.threshold) for r in caplog.records if getattr(r, "event", "") == "budget_alert"]  # type: ignore[attr-defined]
        caplog.clear()
        return found

    return since


def test_each_threshold_once(tmp_path: Path, told: Any) -> None:
    office = Office(tmp_path, budget())
    office.look()
    office.spend(49)
    office.look()
    assert told() == []
    office.spend(1)
    for _ in range(3):
        office.look()
        office.spend(1)
    assert told() == [("key:ci", 0.5)]
    office.spend(60)
    office.look()
    assert told() == [("key:ci", 1.0)]
    assert office.metrics.budget_alerts == {("key", "day", "0.5"): 1, ("key", "day", "1"): 1}


def test_what_the_line_says(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    office = Office(tmp_path, budget(limit=2_000_000_000, alerts=(0.8,), window="month"))
    office.spend(1_700_000_000)
    office.look()
    (line,) = caplog.records
    assert line.getMessage() == "budget alert: key:ci has spent 80 % of its limit in 2026-11"
    said = {
        name: getattr(line, name)
        for name in ("event", "scope", "window_id", "threshold", "limit_usd", "settled_usd", "mode")
    }
    assert said == {
        "event": "budget_alert", "scope": "key:ci", "window_id": "2026-11", "threshold": 0.8,
        "limit_usd": "2.000000000", "settled_usd": "1.700000000", "mode": "warn",
    }  # fmt: skip


def test_a_restart_repeats_nothing(tmp_path: Path, told: Any) -> None:
    first = Office(tmp_path, budget())
    first.spend(60)
    first.look()
    assert told() == [("key:ci", 0.5)]
    first.store.database.close()
    second = Office(tmp_path, budget())
    second.authority.preload({("key:ci", "2026-11-21"): (60, 0)})
    second.look()
    assert told() == []
    second.spend(40)
    second.look()
    assert told() == [("key:ci", 1.0)]


def test_what_was_reached_while_nobody_looked_is_told_at_the_next_start(tmp_path: Path, told: Any) -> None:
    office = Office(tmp_path, budget())
    office.authority.preload({("key:ci", "2026-11-21"): (60, 0)})
    office.look()
    assert told() == [("key:ci", 0.5)]


def test_a_new_window_begins_anew_and_the_old_one_is_forgotten(tmp_path: Path, told: Any) -> None:
    office = Office(tmp_path, budget())
    for _ in range(3):
        office.spend(50)
        office.look()
        assert told() == [("key:ci", 0.5)]
        office.clock.advance(86_400)
    assert "2026-11-21" not in (office.store.governance.setting(SETTING) or "")


def test_every_value_of_a_pattern_has_its_own(tmp_path: Path, told: Any) -> None:
    office = Office(tmp_path, budget("user:*"), budget("key:ci", alerts=()))
    office.spend(60)
    office.spend(40, Attribution(user="bob"))
    office.look()
    office.spend(20, Attribution(user="bob"))
    office.look()
    assert told() == [("user:ann", 0.5), ("user:bob", 0.5)]


def test_a_reload_repeats_nothing_but_a_new_limit_is_a_new_budget(tmp_path: Path, told: Any) -> None:
    office = Office(tmp_path, budget())
    office.spend(60)
    office.look()
    office.authority.configure((budget(),))
    office.look()
    assert told() == [("key:ci", 0.5)]
    office.authority.configure((budget(alerts=(0.5, 0.6)),))
    office.look()
    assert told() == [("key:ci", 0.6)]
    office.authority.configure((budget(limit=120),))
    office.look()
    assert told() == [("key:ci", 0.5)]


def test_without_alerts_nothing_is_looked_at(tmp_path: Path, told: Any) -> None:
    office = Office(tmp_path, budget(alerts=()))
    office.spend(100)
    assert office.authority.changed() == []
    office.look()
    assert told() == []


class Broken:
    def setting(self, name: str) -> str | None:
        raise StoreError("the disk is full")

    def set_setting(self, name: str, value: str) -> None:
        raise StoreError("the disk is full")


def test_a_store_that_fails_does_not_silence_an_alert(tmp_path: Path, told: Any) -> None:
    office = Office(tmp_path, budget(), settings=Broken())
    office.spend(60)
    office.look()
    office.spend(1)
    office.look()
    assert told() == [("key:ci", 0.5)]


def test_what_is_remembered_is_bounded(tmp_path: Path, told: Any) -> None:
    office = Office(tmp_path, budget("session:*", window="total", alerts=(0.5,)))
    for number in range(MAX_TOLD + 5):
        office.spend(60, Attribution(session_id=f"s{number}"))
    office.look()
    assert len(told()) == MAX_TOLD + 5
    assert len(office.alerts._told or {}) == MAX_TOLD


async def test_it_looks_by_itself_and_once_more_when_it_stops(tmp_path: Path, told: Any) -> None:
    office = Office(tmp_path, budget())
    office.spend(60)
    office.alerts.start()
    for _ in range(200):
        await asyncio.sleep(0.01)
        if office.metrics.budget_alerts:
            break
    assert told() == [("key:ci", 0.5)]
    office.spend(60)
    await office.alerts.stop()
    assert told() == [("key:ci", 1.0)]
