"""A price rises while a request is between its hold and its start: it is paid at the new one, and exceeds nothing."""

from calendar import timegm
from datetime import date
from pathlib import Path

import pytest
from tests.playbooks.engine.conftest import CONFIG, ENVIRONMENT, Playbook, budget
from tests.playbooks.engine.wire import answered, chat

EDGE_MS = timegm(date(2026, 12, 2).timetuple()) * 1_000
RISING = CONFIG.replace(
    "price: {input: 1, output: 10}, max_output: 4000}",
    'price: [{input: 1, output: 10}, {from: "2026-12-02", input: 10, output: 100}], max_output: 4000}',
    1,
)
CHEAP_USD, DEAR_USD = "0.00117", "0.0117"
"""What one request is held at before and after, hardly more."""


def asked(directory: Path, before_ms: int, limit_usd: str) -> Playbook:
    """One request whose every look at the clock is a millisecond after the one before."""
    here = Playbook(
        RISING + budget(limit_usd, "strict", window="month"),
        [answered(tokens_in=10, tokens_out=100)],
        directory,
        environment=ENVIRONMENT,
        now_ms=EDGE_MS - before_ms,
    )
    now_ms = here.clock.now_ms

    def ticking() -> int:
        here.clock.advance(0.001)
        return now_ms()

    here.clock.now_ms = ticking  # type: ignore[method-assign]  # a clock that no loop has to turn for
    here.ask(chat())
    return here


@pytest.mark.parametrize("before_ms", range(1, 10))
def test_no_price_rises_between_a_hold_and_its_start(tmp_path: Path, before_ms: int) -> None:
    here = asked(tmp_path, before_ms, CHEAP_USD)
    assert here.upstream.calls == []
    assert here.budget("key:ci").settled_nanousd == 0
    here.close()


@pytest.mark.parametrize("before_ms", range(1, 10))
def test_a_budget_for_the_new_price_is_enough(tmp_path: Path, before_ms: int) -> None:
    here = asked(tmp_path, before_ms, DEAR_USD)
    found = here.budget("key:ci")
    assert 0 < (here.row.cost_nanousd or 0) == found.settled_nanousd <= found.limit_nanousd
    assert here.row.usage_flags == ()
    here.close()


def test_long_before_it_the_old_price_is_held(tmp_path: Path) -> None:
    here = asked(tmp_path, 60_000, CHEAP_USD)
    assert (here.row.hold_nanousd or 0) <= 1_170_000
    here.close()
