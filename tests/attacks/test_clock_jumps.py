"""A wall clock that goes back and forth over the ends of windows, with reloads between: no window is spent twice."""

import random
from collections import Counter
from pathlib import Path

import pytest
from tests.playbooks.engine.conftest import CONFIG, ENVIRONMENT, Playbook
from tests.playbooks.engine.wire import answered, chat

from bascule.decide.window import DAY_MS, HOUR_MS, window_id
from bascule.model.policy import BudgetWindow

LIMIT_NANOUSD = 3_000_000
LEAPS_MS = (1_000, 90_000, HOUR_MS, DAY_MS, 7 * DAY_MS, 31 * DAY_MS)
WINDOWS: tuple[BudgetWindow, ...] = ("hour", "day", "week", "month")


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("seed", range(2))
def test_no_window_is_spent_twice(tmp_path: Path, window: BudgetWindow, seed: int) -> None:
    config = CONFIG + f'budgets: [{{scope: "key:ci", limit_usd: 0.003, window: {window}, mode: strict}}]'
    dice = random.Random(f"{window} {seed}")
    world = Playbook(config, [answered(tokens_out=50)] * 60, tmp_path, environment=ENVIRONMENT)
    try:
        start_ms, statuses = world.clock.now_ms(), Counter[int]()
        for _ in range(60):
            if dice.random() < 0.4:
                leap_ms = dice.choice((-1, 1)) * dice.choice(LEAPS_MS)
                world.clock.set_now_ms(max(start_ms - 40 * DAY_MS, world.clock.now_ms() + leap_ms))
            if dice.random() < 0.1:
                world.reconfigure(config)
            statuses[world.ask(chat()).status] += 1
        spent = Counter[str]()
        for row in world.rows:
            spent[window_id(window, row.ts_start_ms)] += row.cost_nanousd or 0
        assert max(spent.values()) <= LIMIT_NANOUSD
        assert len(spent) > 1
        assert statuses.keys() == {200, 402}
    finally:
        world.close()
