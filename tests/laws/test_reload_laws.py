"""Counters are facts of the ledger: whatever was settled, those made from rows are those that lived."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.playbooks.engine.conftest import CONFIG, ENVIRONMENT, Playbook
from tests.playbooks.engine.wire import DONE, ROLE, STOP, answered, chat, openai_error, streamed, text, used

from bascule.model.budget import BudgetState
from bascule.offline.budgets import budget_states
from bascule.testing.transport import Break, Reply, broken, stream

Turn = tuple[Callable[[], dict[str, Any]], Callable[[], Reply]]

TURNS: dict[str, Turn] = {
    "reported": (chat, answered),
    "reported in a stream": (streamed, lambda: stream(ROLE, text("a"), STOP, used(), DONE)),
    "estimated": (streamed, lambda: stream(ROLE, text("word " * 20), Break("reset"))),
    "not told": (streamed, lambda: stream(ROLE, text("a"), STOP, DONE)),
    "unknown": (chat, lambda: broken("reset")),
    "refused": (chat, lambda: openai_error(400)),
    "free": (lambda: chat("own"), answered),
    "without a price": (lambda: chat("riddle"), answered),
}
BUDGETS = st.lists(
    st.tuples(
        st.sampled_from(("key:ci", "org:acme", "team:*", "user:*", "tag:cost=42")),
        st.sampled_from(("0.002", "1", "100")),
        st.sampled_from(("hour", "day", "total")),
        st.sampled_from(("strict", "expected", "warn")),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda budget: (budget[0], budget[2]),
)


def configured(budgets: list[tuple[str, str, str, str]]) -> str:
    lines = [f'{{scope: "{s}", limit_usd: {limit}, window: {w}, mode: {mode}}}' for s, limit, w, mode in budgets]
    return f"{CONFIG}retry: {{max_attempts: 1}}\nbudgets: [{', '.join(lines)}]\n"


def told(world: Playbook) -> dict[tuple[str, str], BudgetState]:
    """Every counter that anything was spent from."""
    states = world.gateway.authority.states(world.clock.now_ms())
    return {(one.scope, one.window_id): one for one in states if one.settled_nanousd}


@settings(max_examples=20)
@given(
    budgets=BUDGETS,
    turns=st.lists(
        st.tuples(st.sampled_from(sorted(TURNS)), st.sampled_from(("ann", "bob")), st.booleans()), max_size=8
    ),
)
def test_counters_after_a_restart_are_those_that_lived(
    budgets: list[tuple[str, str, str, str]], turns: list[tuple[str, str, bool]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        config = configured(budgets)
        world = Playbook(config, [], Path(folder), environment=ENVIRONMENT)
        for name, user, leaves in turns:
            body, reply = TURNS[name]
            world.upstream.replies = [reply()]
            world.ask({**body(), "user": user}, leave_after=1 if leaves else None)
        world.assert_at_rest()
        live = told(world)
        now_ms = world.clock.now_ms()
        index = world.gateway.engine.snapshot.budgets
        from_rows = budget_states(index, world.store.view.attempts(), now_ms)
        assert {(one.scope, one.window_id): one for one in from_rows if one.settled_nanousd} == live
        world.reconfigure(config.partition("budgets:")[0])
        world.reconfigure(config)
        for row in world.rows:  # counters of patterns are made when somebody comes
            world.gateway.authority.applicable(row.attribution, now_ms)
        assert told(world) == live
        world.close()
        again = Playbook(config, [], Path(folder), environment=ENVIRONMENT, now_ms=now_ms)
        assert told(again) == live
        again.close()
