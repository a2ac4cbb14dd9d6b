"""The journal will not take a line: nothing is sent unwritten, nothing that was served is taken back."""

import pytest
from tests.playbooks.engine.conftest import Begin, strict
from tests.playbooks.engine.wire import DONE, a_stream, answered, chat, messages, openai_error, streamed, texts


@pytest.mark.parametrize("stream", [False, True])
def test_what_cannot_be_written_down_is_not_sent(begin: Begin, stream: bool) -> None:
    world = begin(more=strict("1"))
    world.journal.refuses = {"intent"}
    answer = world.ask(chat(stream=stream))
    assert answer.status == 503
    assert answer.error["code"] == "unavailable"
    assert answer.header("retry-after") == "5"
    assert world.ask(messages("small"), surface="anthropic_messages").status == 503
    assert world.upstream.calls == []
    assert world.rows == []
    state = world.budget("key:ci")
    assert (state.settled_nanousd, state.held_nanousd) == (0, 0)
    world.journal.refuses = set()
    world.upstream.replies = [answered()]
    assert world.ask(chat()).status == 200


def test_an_outage_is_one_line_in_the_log_and_its_end_another(begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    world = begin(more=strict("1"))
    for _ in range(2):
        caplog.clear()
        world.journal.refuses = {"intent", "decision", "settle"}
        assert [world.ask(chat()).status for _ in range(5)] == [503] * 5
        (said,) = caplog.records
        assert said.exc_info is None
        assert said.levelname == "ERROR"
        assert "the disk is full" in said.getMessage()
        world.journal.refuses = set()
        world.upstream.replies = [answered(), answered()]
        assert [world.ask(chat()).status for _ in range(2)] == [200, 200]
        (_, again) = caplog.records
        assert "takes lines again" in again.getMessage()


def test_a_further_attempt_needs_its_line_too(begin: Begin) -> None:
    world = begin(more=strict("1"))
    refuse = openai_error(500)
    world.upstream.replies = [type(refuse)(status=500, before=[lambda: world.journal.refuses.add("intent")])]
    assert world.ask(chat("auto")).status == 503
    assert len(world.upstream.calls) == len(world.rows) == 1


def test_a_decision_that_is_not_recorded_stops_nobody(begin: Begin) -> None:
    world = begin(answered())
    world.journal.refuses = {"decision"}
    assert world.ask(chat()).status == 200
    assert world.row.cost_nanousd == 60_000


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_cannot_be_settled_is_delivered_and_counts_as_its_hold(begin: Begin, stream: bool) -> None:
    world = begin(a_stream() if stream else answered(), more=strict("1"))
    world.journal.refuses = {"settle"}
    answer = world.ask(streamed() if stream else chat())
    assert answer.status == 200
    assert answer.ended
    if stream:
        assert texts(answer.data) == "hello"
        assert answer.body.endswith(DONE)
    row = world.row
    assert row.kind == "intent"
    assert row.hold_nanousd is not None
    state = world.budget("key:ci")
    assert (state.settled_nanousd, state.held_nanousd) == (row.hold_nanousd, 0)
    assert world.gateway.authority.open_holds == 0

    world.close()
    restarted = begin(after=world, more=strict("1"))
    recovered = restarted.row
    assert (recovered.kind, recovered.recovered, recovered.cost_nanousd) == ("settle", True, row.hold_nanousd)
    assert restarted.budget("key:ci").settled_nanousd == row.hold_nanousd


def test_what_was_spent_is_known_after_a_restart(begin: Begin) -> None:
    world = begin(answered(tokens_out=40), answered(tokens_out=40), more=strict("0.0017"))
    assert [world.ask(chat()).status for _ in range(3)] == [200, 200, 402]
    world.close()
    restarted = begin(after=world, more=strict("0.0017"))
    assert restarted.budget("key:ci").settled_nanousd == 2 * 410_000
    assert restarted.ask(chat()).status == 402
    assert len(restarted.rows) == 2
