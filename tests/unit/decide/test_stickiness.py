"""Stay or move, by hand-worked sums at cached prices."""

from typing import Any

from tests.unit.decide.routing_world import NOW_MS, World, auto, ids

from bascule.decide.stickiness import CHEAPEST_SESSION, STAYS
from bascule.model.facts import Facts
from bascule.model.identity import Identity
from bascule.model.money import PICO_PER_USD_PER_MTOK as USD
from bascule.model.money import Rates
from bascule.model.plan import Plan
from bascule.model.policy import Ask, Sticky
from bascule.model.session_state import SessionState

PREFIX = 100_000
"""Tokens: 400,000 bytes of text at a quarter of a token each."""


def state(**fields: Any) -> SessionState:
    return SessionState(
        **(
            {
                "model": "big",
                "endpoint_id": "p/big",
                "turns": 9,
                "last_ms": NOW_MS - 60_000,
                "cached_tokens": PREFIX,
                "lifetime_s": 300,
            }
            | fields
        )
    )


def world(**fields: Any) -> World:
    made = World(routes=(auto(**({"candidates": ("small", "big")} | fields)),))
    made.rates = {
        "p/small": Rates(input=2 * USD, output=10 * USD, cache_read=USD // 5),
        "p/big": Rates(input=3 * USD, output=15 * USD, cache_read=3 * USD // 10),
    }
    return made


def plan(world: World, session: SessionState | None, turns_left: float, **fields: Any) -> Plan:
    facts = Facts(model="auto", text_bytes=4 * PREFIX)
    return world.plan("auto", facts, session=session, turns_left=lambda turn: turns_left, **fields)


def test_a_cheaper_model_whose_cold_prompt_costs_more_than_it_saves_does_not_get_the_session() -> None:
    # Stay: 100,000 x 0.30 + 500 x 15 per million = $0.0375 a turn, 3 turns: $0.1125.
    # Move: $0.20 + 500 x 10 per million = $0.205, then 2 x ($0.02 + $0.005): $0.255.
    made = plan(world(), state(), 2.0)
    assert ids(made)[0] == "p/big"
    assert made.reason == STAYS
    assert made.session is not None
    assert (made.session.stay_nanousd, made.session.move_nanousd) == (112_500_000, 255_000_000)


def test_it_gets_the_session_where_enough_turns_are_to_come() -> None:
    # Each later turn saves $0.0125; moving costs $0.1675 more at first: it pays after 13.4 turns.
    assert plan(world(), state(), 13.0).session.stays  # type: ignore[union-attr]
    made = plan(world(), state(), 20.0)
    assert (ids(made)[0], made.reason) == ("p/small", "cheapest")
    assert made.session is not None
    assert not made.session.stays


def test_a_cache_that_has_run_out_holds_nobody() -> None:
    # Both read the prompt anew: $0.3075 against $0.205.
    made = plan(world(), state(last_ms=NOW_MS - 301_000), 1.0)
    assert ids(made)[0] == "p/small"


def test_moving_costs_no_more_than_the_route_allows() -> None:
    capped = world(sticky=Sticky(max_switch_nanousd=179_999_999))
    assert ids(plan(capped, state(), 100.0))[0] == "p/big"
    # 100,000 x (2.00 - 0.20) per million is $0.18
    capped = world(sticky=Sticky(max_switch_nanousd=180_000_000))
    assert ids(plan(capped, state(), 100.0))[0] == "p/small"


def test_who_is_no_longer_adequate_does_not_keep_its_session() -> None:
    made = plan(world(quality=0.7), state(model="small", endpoint_id="p/small"), 50.0)
    assert ids(made) == ["p/big"]
    assert made.session is None


def test_another_objective_than_money_keeps_its_session() -> None:
    made = plan(world(objective="best"), state(model="small", endpoint_id="p/small"), 50.0)
    assert (ids(made)[0], made.reason) == ("p/small", STAYS)


def test_switched_off_unknown_or_ordered_by_the_client_each_request_is_for_itself() -> None:
    assert ids(plan(world(sticky=Sticky(enabled=False)), state(), 2.0))[0] == "p/small"
    assert ids(plan(world(), None, 2.0))[0] == "p/small"
    facts = Facts(model="auto", text_bytes=4 * PREFIX)
    asked = world().plan(Ask(model="auto", sort="price"), facts, session=state(), turns_left=lambda turn: 2.0)
    assert ids(asked)[0] == "p/small"


def test_an_unwell_model_lets_its_session_go() -> None:
    made = plan(world(), state(), 2.0, health={"p/big": "cooling"})
    assert ids(made)[0] == "p/small"


def begins(world: World, turns_left: float, **fields: Any) -> Plan:
    facts = Facts(model="auto", text_bytes=4 * PREFIX, tools=fields.pop("tools", 3))
    identity = Identity(session_id="s", session_source=fields.pop("source", "x-session-id"))
    return world.plan("auto", facts, identity=identity, turns_left=lambda turn: turns_left, **fields)


def uncached_small() -> World:
    made = world()
    made.rates["p/small"] = Rates(input=2 * USD, output=10 * USD)
    return made


def test_an_agent_begins_where_its_whole_session_is_cheapest() -> None:
    # small: $0.205 a turn, cached or not. big: $0.3075, then $0.0375 a turn: less from the second turn on.
    made = begins(uncached_small(), 0.5)
    assert (ids(made)[0], made.reason) == ("p/small", "cheapest")
    made = begins(uncached_small(), 1.0)
    assert (ids(made), made.reason) == (["p/big", "p/small"], CHEAPEST_SESSION)
    assert made.candidates[1].reason == "failover"


def test_who_may_never_ask_again_is_answered_by_the_cheapest_at_once() -> None:
    assert ids(begins(uncached_small(), 50.0, tools=0))[0] == "p/small"
    assert ids(begins(uncached_small(), 50.0, source="derived"))[0] == "p/small"
    off = world(sticky=Sticky(enabled=False))
    off.rates = uncached_small().rates
    assert ids(begins(off, 50.0))[0] == "p/small"


def test_a_model_of_unknown_price_begins_no_session() -> None:
    made = uncached_small()
    del made.rates["p/big"]
    assert ids(begins(made, 50.0))[0] == "p/small"
