"""Holds of several budgets and of many requests at once: all scopes or none, and never more than there is."""

import pytest
from tests.playbooks.engine.conftest import CONFIG, Begin, Playbook, strict
from tests.playbooks.engine.holds import ALIASES, hold_of, limit
from tests.playbooks.engine.wire import (
    a_stream,
    answered,
    chat,
)

DAY_MS = 86_400_000

NESTED = """
budgets:
  - {scope: "org:acme", limit_usd: 9, window: month, mode: warn}
  - {scope: "team:platform", limit_usd: 8, window: week}
  - {scope: "project:web", limit_usd: 7, window: total}
  - {scope: "key:ci", limit_usd: 6, window: hour}
  - {scope: "user:*", limit_usd: 5, window: day}
  - {scope: "tag:feature=*", limit_usd: 4, window: day}
  - {scope: "tag:cost=42", limit_usd: 4, window: day}
  - {scope: "session:*", limit_usd: LAST, window: total}
"""


def test_every_scope_is_held_or_none(begin: Begin) -> None:
    who = {"x-bascule-user": "ann", "x-bascule-session": "s1", "x-bascule-tag": "feature=search"}
    world = begin(answered(), more=NESTED.replace("LAST", "3"))
    world.ask(chat(), headers=who)
    scopes = {
        "org:acme": "2026-11",
        "team:platform": "2026-W47",
        "project:web": "total",
        "key:ci": "2026-11-21T12",
        "user:ann": "2026-11-21",
        "tag:feature=search": "2026-11-21",
        "tag:cost=42": "2026-11-21",
        "session:s1": "total",
    }
    assert {held.scope: held.window_id for held in world.row.held} == scopes
    assert {scope: world.budget(scope).settled_nanousd for scope in scopes} == dict.fromkeys(scopes, 60_000)
    poor = begin(more=NESTED.replace("LAST", "0.0001"))
    assert poor.ask(chat(), headers=who).error["scope"] == "session:s1"
    assert {s.held_nanousd for s in poor.gateway.authority.states(poor.clock.now_ms())} == {0}


def test_a_client_cannot_talk_itself_out_of_what_its_key_says(begin: Begin) -> None:
    world = begin(answered(), more=strict("1", scope="tag:cost=42"))
    world.ask(chat(), headers={"x-bascule-tag": "cost=43"})
    assert world.row.tags == {"cost": "42"}
    assert world.budget("tag:cost=42").settled_nanousd == 60_000


def at_once(world: Playbook, count: int, stream: bool) -> list[int | None]:
    exchanges = [world.exchange(chat(stream=stream or None)) for _ in range(count)]
    world.handle(*exchanges)
    return [exchange.status for exchange in exchanges]


@pytest.mark.parametrize("stream", [False, True])
def test_many_at_once_cannot_spend_more_than_there_is(begin: Begin, stream: bool) -> None:
    """Every answer is billed 60,000 nano-USD; each hold is some 1.2 million, and 10 of them fit at once."""
    hold = hold_of(begin, "lite")
    world = begin(more=strict(limit(10 * hold)))
    world.upstream.replies = [a_stream() if stream else answered() for _ in range(40)]
    statuses = at_once(world, 40, stream)
    served = statuses.count(200)
    assert set(statuses) == {200, 402}
    assert served == len(world.upstream.calls) == len(world.rows)
    state = world.budget("key:ci")
    assert (state.settled_nanousd, state.held_nanousd) == (served * 60_000, 0)
    world.upstream.replies = [answered()]
    assert world.ask(chat()).status == 200


def test_sent_one_after_another_the_budget_is_used_up_to_less_than_one_hold(begin: Begin) -> None:
    hold = hold_of(begin, "lite")
    world = begin(more=ALIASES + "\n" + strict(limit(3 * hold)))
    world.upstream.replies = [answered() for _ in range(200)]
    served = 0
    while world.ask(chat("lite")).status == 200:
        served += 1
    assert 3 * hold - hold < served * 60_000 <= 3 * hold


def test_a_late_settlement_goes_to_the_window_of_its_hold(begin: Begin) -> None:
    world = begin(more=strict("0.0015"))
    reply = answered(tokens_in=0, tokens_out=100)
    world.clock.set_now_ms(world.clock.now_ms() // DAY_MS * DAY_MS + DAY_MS - 1_000)
    world.upstream.replies = [type(reply)(before=[10.0], parts=reply.parts), answered()]
    assert world.ask(chat()).status == 200
    assert world.row.window_id == "2026-11-21"
    assert world.budget("key:ci").window_id == "2026-11-22"
    assert world.budget("key:ci").settled_nanousd == 0
    assert world.ask(chat()).status == 200


def test_a_new_configuration_changes_limits_and_no_spend(begin: Begin) -> None:
    world = begin(answered(), answered(), more=strict("1"))
    world.ask(chat())
    world.reconfigure(CONFIG + strict("0.0001"))
    assert world.budget("key:ci").settled_nanousd == 60_000
    assert world.ask(chat()).status == 402
    world.reconfigure(CONFIG + strict("1"))
    assert world.ask(chat()).status == 200
    assert world.budget("key:ci").settled_nanousd == 120_000
