"""All at once: the first whole answer that is acceptable wins, and what the others have cost is kept."""

from tests.playbooks.engine.conftest import Begin, strict
from tests.playbooks.engine.wire import a_stream, answered, chat, openai_error, streamed, texts
from tests.playbooks.strategies.wire import attempts, configured, content

from bascule.testing.transport import HANG_S, Reply

RACE = configured("race")
PICKY = configured("{race: {accept: {regex: '^yes'}}}")


def late(reply: Reply, seconds: float) -> Reply:
    return Reply(status=reply.status, headers=reply.headers, before=[seconds], parts=reply.parts)


def test_the_first_whole_answer_wins_and_the_other_is_cancelled_and_paid_for(begin: Begin) -> None:
    world = begin(config=RACE)
    world.upstream.at = {"one.test": [late(answered("slow"), HANG_S)], "two.test": [late(answered("quick"), 1.0)]}
    answer = world.ask(chat("way"))
    assert content(answer) == "quick"
    assert answer.header("x-bascule-model") == "big"
    assert answer.header("x-bascule-reason") == "race: big first (whole)"
    first, second = world.rows
    assert (first.role, first.error_class, first.cost_nanousd) == ("primary", "cancelled", first.hold_nanousd)
    assert (second.role, second.cost_nanousd) == ("hedge", 180_000)
    assert answer.header("x-bascule-cost-usd") == f"{((first.cost_nanousd or 0) + 180_000) / 1e9:.9f}"


def test_a_stream_is_given_whole_and_only_one(begin: Begin) -> None:
    world = begin(config=RACE)
    world.upstream.at = {"one.test": [late(a_stream("quick"), 0.5)], "two.test": [late(a_stream("slow"), 2.0)]}
    answer = world.ask(streamed("way"))
    assert texts(answer.data) == "quick"
    assert answer.data.count("[DONE]") == 1


def test_an_answer_that_is_not_acceptable_has_not_won(begin: Begin) -> None:
    world = begin(config=PICKY)
    world.upstream.at = {"one.test": [late(answered("no"), 0.5)], "two.test": [late(answered("yes"), 2.0)]}
    assert content(world.ask(chat("way"))) == "yes"
    assert [row.error_class for row in world.rows] == [None, None]


def test_where_none_is_acceptable_the_first_goes_out_and_says_so(begin: Begin) -> None:
    world = begin(config=PICKY)
    world.upstream.at = {"one.test": [late(answered("no"), 0.5)], "two.test": [late(answered("nay"), 2.0)]}
    answer = world.ask(chat("way"))
    assert content(answer) == "no"
    assert answer.header("x-bascule-reason") == "race: small first; none accepted"


def test_one_that_fails_loses_and_where_all_do_the_client_is_told(begin: Begin) -> None:
    world = begin(config=RACE)
    world.upstream.at = {"one.test": [openai_error(400)], "two.test": [late(answered("quick"), 1.0)]}
    assert content(world.ask(chat("way"))) == "quick"
    lost = begin(config=RACE)
    lost.upstream.at = {"one.test": [openai_error(400, "bad")], "two.test": [openai_error(400, "bad")]}
    assert lost.ask(chat("way")).status == 400


def test_both_are_held_at_once_or_nobody_is_asked(begin: Begin) -> None:
    world = begin(config=RACE, more=strict("0.004"))
    assert world.ask(chat("way")).status == 402
    assert world.upstream.calls == []


def test_a_client_that_leaves_ends_both(begin: Begin) -> None:
    world = begin(config=RACE, more=strict("1"))
    world.upstream.at = {"one.test": [Reply(before=[HANG_S])], "two.test": [Reply(before=[HANG_S])]}
    assert not world.cancel_at(world.exchange(chat("way")), 5, after_s=1.0)
    world.assert_at_rest()
    assert attempts(world)[0][0] == "primary"
    assert {row.error_class for row in world.rows} == {"cancelled"}
