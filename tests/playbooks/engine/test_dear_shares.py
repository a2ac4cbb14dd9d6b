"""Caps on dear models: of a key, of a session, through failures, and beside a floor that wants more."""

from collections import Counter
from typing import Any

from tests.playbooks.engine.conftest import CONFIG, OTHER, Begin, Playbook
from tests.playbooks.engine.wire import answered, chat, openai_error

from bascule.ports import UpstreamCall

ROUTE = "  auto: {candidates: [small, big]}\n"


def capped(dear: str, more: str = "") -> str:
    """`big` is of the premium tier, and the route wants nothing else."""
    config = CONFIG.replace("  big: {", "  big: {tier: premium, quality: 0.9, ")
    config = config.replace("  small: {", "  small: {quality: 0.5, ")
    return config.replace(ROUTE, f"  auto: {{candidates: [small, big], quality: 0.8, dear: {dear}{more}}}\n")


def served(world: Playbook, times: int, **how: Any) -> Counter[str]:
    world.upstream.answer = lambda call: answered()
    return Counter([world.ask(chat("auto"), **how).header("x-bascule-model") or "none" for _ in range(times)])


def test_of_all_requests_of_a_key_its_share_and_its_burst_are_dear(begin: Begin) -> None:
    world = begin(config=capped("{key_share: 0.25, burst: 4}"))
    # 4 of the burst, and a quarter of a dear request from each of 100; less than one is left over.
    assert served(world, 100) == {"big": 28, "small": 72}
    assert served(world, 1, key=OTHER) == {"big": 1}


def test_a_new_session_does_not_renew_the_keys_share(begin: Begin) -> None:
    world = begin(config=capped("{key_share: 0.1, session_share: 0.5, burst: 1}"))
    found = Counter(
        model
        for number in range(50)
        for model in served(world, 1, headers={"x-bascule-session": f"s-{number}"}).elements()
    )
    assert found["big"] <= 1 + 5


def test_a_sessions_own_share(begin: Begin) -> None:
    world = begin(config=capped("{session_share: 0.5, burst: 1}"))
    one = served(world, 10, headers={"x-bascule-session": "one"})
    assert one["big"] in (5, 6)
    assert served(world, 1, headers={"x-bascule-session": "two"}) == {"big": 1}


def test_dear_models_that_are_asked_after_a_failure_count(begin: Begin) -> None:
    world = begin(config=capped("{key_share: 0.25, burst: 2}").replace("quality: 0.8, dear", "dear"))
    world.upstream.answer = lambda call: openai_error(500) if _is_small(call) else answered()
    statuses = [world.ask(chat("auto")).status for _ in range(10)]
    asked = sum(not _is_small(call) for call in world.upstream.calls)
    # Who has spent its share is given no dear candidate to fail over to: the failure of the cheap one is the answer.
    assert asked == statuses.count(200)
    assert asked <= 2 + 0.25 * 10 + 1


def test_the_answer_says_why_it_is_not_the_dear_one(begin: Begin) -> None:
    world = begin(config=capped("{key_share: 0.01, burst: 1}"))
    assert served(world, 1) == {"big": 1}
    second = world.ask(chat("auto"))
    assert (second.header("x-bascule-model"), second.header("x-bascule-reason")) == ("small", "floor_unmet")


def _is_small(call: UpstreamCall) -> bool:
    return "one.test" in call.origin
