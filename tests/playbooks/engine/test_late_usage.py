"""Usage behind the terminal event, in a segment of its own: waited for where there was none, and not for long."""

from tests.playbooks.engine.conftest import Begin
from tests.playbooks.engine.wire import DONE, ROLE, chunk, streamed, text, used

from bascule.testing.transport import stream

FINISH = chunk({}, "stop")


def test_usage_that_comes_after_the_end_is_the_bill(begin: Begin) -> None:
    world = begin(stream(ROLE, text("hello"), FINISH, DONE, 0.1, used()))
    answer = world.ask(streamed())
    assert answer.body.endswith(DONE)
    assert (world.row.usage_source, world.row.cost_nanousd) == ("reported", 60_000)


def test_usage_that_does_not_come_soon_is_estimated(begin: Begin) -> None:
    world = begin(stream(ROLE, text("hello"), FINISH, DONE, 30.0, used()))
    answer = world.ask(streamed())
    assert answer.body.endswith(DONE)
    assert world.row.usage_source == "estimated"
    assert world.row.ts_end_ms - world.row.ts_start_ms < 1_000


def test_nobody_waits_once_usage_is_there(begin: Begin) -> None:
    world = begin(stream(ROLE, text("hello"), FINISH, used(), DONE, 30.0, used(99, 99)))
    world.ask(streamed())
    assert world.row.cost_nanousd == 60_000
    assert world.row.ts_end_ms == world.row.ts_start_ms
