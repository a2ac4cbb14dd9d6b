"""What is recorded of requests, by `privacy.record_content`, and what that means for repeated requests."""

import json
from typing import Any

import pytest
from tests.playbooks.engine.conftest import ENVIRONMENT, Begin, Playbook
from tests.playbooks.engine.wire import a_stream, answered, chat, openai_error, streamed, text

from bascule.model.content import Recording, Subject
from bascule.testing.exchange import ListExchange
from bascule.testing.transport import Break, broken, stream

FULL = "privacy: {record_content: full, content_key: env:CONTENT_KEY"
KEY = {"Idempotency-Key": "order-17"}


@pytest.fixture(autouse=True)
def content_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENVIRONMENT, "CONTENT_KEY", "content-canary-0123456789abcdef0123")


def recorded(world: Playbook, answer: ListExchange) -> list[Recording]:
    assert world.gateway.content is not None
    return world.gateway.content.of_request(str(answer.header("x-bascule-request-id")))


def test_a_whole_exchange(begin: Begin) -> None:
    world = begin(answered("words"), more=FULL + "}")
    answer = world.ask(chat(), headers={"x-bascule-user": "ann", "x-bascule-session": "s1"})
    (one,) = recorded(world, answer)
    assert one.request == world.upstream.calls[0].body
    assert json.loads(one.answer or b"")["choices"][0]["message"]["content"] == "words"
    assert (one.attempt_id, one.status, one.cut) == (world.row.attempt_id, 200, False)
    assert (one.key, one.user, one.session_id) == ("ci", "ann", "s1")
    assert (one.request_bytes, one.answer_bytes) == (len(one.request or b""), len(one.answer or b""))


def test_every_attempt_what_came_of_it_and_why_it_failed(begin: Begin) -> None:
    world = begin(openai_error(500, "boom"), broken("reset"), stream(text("hel"), Break()), more=FULL + "}")
    answer = world.ask(streamed())
    first, second, third = recorded(world, answer)
    assert (first.status, b"boom" in (first.answer or b"")) == (500, True)
    assert (second.status, second.answer) == (None, b"")
    assert (third.status, third.answer) == (200, text("hel"))


def test_a_stream_and_what_is_cut_off(begin: Begin) -> None:
    world = begin(a_stream("on", "ce"), more=FULL + ", max_recorded_bytes: 200}")
    answer = world.ask(streamed())
    assert answer.data[-1] == "[DONE]"
    (one,) = recorded(world, answer)
    assert len(one.answer or b"") == 200
    assert one.answer_bytes > 200
    assert one.cut


def test_a_recorded_answer_is_still_kept_by_the_cache(begin: Begin) -> None:
    world = begin(a_stream("once"), more=FULL + "}")
    world.ask(streamed(temperature=0))
    assert world.ask(streamed(temperature=0)).header("x-bascule-cache") == "exact"


def test_sizes_and_digests_alone(begin: Begin) -> None:
    world = begin(answered("words"), answered("words"), more="privacy: {record_content: metadata}")
    (one,), (two,) = [recorded(world, world.ask(chat())) for _ in range(2)]
    assert (one.request, one.answer) == (None, None)
    assert one.answer_bytes > 0
    assert one.request_digest == two.request_digest != one.answer_digest == two.answer_digest
    world.close()
    assert b"words" not in (world.directory / "data" / "content.sqlite3").read_bytes()


def test_nothing(begin: Begin) -> None:
    world = begin(answered())
    world.ask(chat())
    assert world.gateway.content is None
    assert not (world.directory / "data" / "content.sqlite3").exists()


@pytest.mark.parametrize(("body", "reply"), [(chat(), answered("once")), (streamed(), a_stream("on", "ce"))])
def test_where_content_is_recorded_a_repeated_request_is_answered_after_a_restart(
    begin: Begin, body: dict[str, Any], reply: Any
) -> None:
    before = begin(reply, more=FULL + "}")
    first = before.ask(body, headers=KEY)
    before.close()
    world = begin(more=FULL + "}", after=before)
    again = world.ask(body, headers=KEY)
    assert (again.body, again.header("idempotent-replayed")) == (first.body, "true")
    assert world.upstream.calls == []


def test_an_erased_answer_is_not_given_again(begin: Begin) -> None:
    before = begin(answered("once"), more=FULL + "}")
    before.ask(chat(), headers={**KEY, "x-bascule-user": "ann"})
    before.close()
    world = begin(more=FULL + "}", after=before)
    assert world.gateway.content is not None
    assert world.gateway.content.erase(Subject(user="ann"), at_ms=world.clock.now_ms()) == 2
    again = world.ask(chat(), headers={**KEY, "x-bascule-user": "ann"})
    assert (again.status, again.error["code"]) == (409, "not_replayable")
    assert len(world.rows) == 1
