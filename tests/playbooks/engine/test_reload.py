"""A new configuration while requests are in flight, and a store that does not answer: nothing is lost, nobody hangs."""

from collections.abc import Sequence

import pytest
from tests.playbooks.engine.conftest import CONFIG, Begin, Playbook, strict
from tests.playbooks.engine.wire import DONE, ROLE, STOP, answered, chat, streamed, text, texts, used

from bascule.model.chain import ChainedLine
from bascule.model.errors import StoreError
from bascule.testing.transport import stream


def test_a_request_keeps_the_configuration_that_it_began_with(begin: Begin) -> None:
    world = begin(more=strict("1"))
    without = CONFIG.replace("  small: {endpoints", "  gone: {endpoints").replace("[small, ", "[")
    world.upstream.replies = [
        stream(ROLE, text("hel"), lambda: world.reconfigure(without), text("lo"), STOP, used(), DONE)
    ]
    assert texts(world.ask(streamed()).data) == "hello"
    assert world.row.cost_nanousd == 60_000
    assert world.ask(chat()).status == 404


def test_money_that_is_held_stays_held_through_a_reload(begin: Begin) -> None:
    world = begin(more=strict("1"))
    held: list[int] = []

    def reload() -> None:
        world.reconfigure(CONFIG + strict("0.5"))
        held.append(world.budget("key:ci").held_nanousd)

    world.upstream.replies = [stream(ROLE, reload, text("hello"), STOP, used(), DONE)]
    world.ask(streamed())
    assert held == [world.row.hold_nanousd]
    assert world.budget("key:ci").settled_nanousd == 60_000


def test_a_new_budget_knows_what_was_spent_before_it(begin: Begin) -> None:
    world = begin(answered(tokens_out=100))
    world.ask(chat())
    world.reconfigure(CONFIG + strict("0.0015", scope="team:platform"))
    answer = world.ask(chat())
    assert answer.status == 402
    assert answer.error["left_usd"] == "0.000490000"


def store_that_lags(world: Playbook, patch: pytest.MonkeyPatch) -> None:
    def refuse(chain_id: str, lines: Sequence[ChainedLine]) -> None:
        raise StoreError("scripted: the database is locked")

    patch.setattr(world.store.ledger, "append", refuse)


def test_it_knows_what_the_store_has_not_taken_yet_too(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    world = begin(answered(tokens_out=100))
    with monkeypatch.context() as lagging:
        store_that_lags(world, lagging)
        world.ask(chat())
        assert world.journal.backlog
        world.reconfigure(CONFIG + strict("0.0015", scope="team:platform"))
        answer = world.ask(chat())
        assert (answer.status, answer.error["left_usd"]) == (402, "0.000490000")


def test_where_that_is_too_much_to_look_through_it_is_503_for_now(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = begin(answered(), answered())
    monkeypatch.setattr("bascule.compose.spending.MAX_STORE_LAG_LINES", 1)
    with monkeypatch.context() as lagging:
        store_that_lags(world, lagging)
        assert world.ask(chat()).status == 200
        world.reconfigure(CONFIG + strict("1"))
        answer = world.ask(chat())
        assert answer.status == 503
        assert answer.error["code"] == "unavailable"
        assert "lags" not in answer.error["message"]
        assert len(world.upstream.calls) == 1
    world.gateway.drainer.drain()
    assert world.ask(chat()).status == 200
