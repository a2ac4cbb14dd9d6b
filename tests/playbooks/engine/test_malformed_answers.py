"""Whole answers with status 200 that are not JSON to us: billed by the provider, so read where they can be read."""

import json
from typing import Any

import pytest
from tests.playbooks.engine.conftest import Begin, strict
from tests.playbooks.engine.wire import chat, completion, message, messages

from bascule.testing.transport import whole

BOM = b"\xef\xbb\xbf"
SMALL = 60_000
GOOD = json.dumps(completion()).encode()


def with_nan() -> bytes:
    odd = completion()
    odd["choices"][0]["logprobs"] = {"content": [{"token": "hello", "logprob": float("nan")}]}
    odd["score"] = float("-inf")
    return json.dumps(odd).encode()


MENDED = [BOM + GOOD, GOOD + b"\n[DONE]", GOOD + GOOD, with_nan(), GOOD.replace(b"hello", b"hel\nlo"), b"\n " + GOOD]
MENDED.append(GOOD[:-1] + b', "note\xff": 1}')


@pytest.mark.parametrize("raw", MENDED)
def test_what_can_be_understood_is_answered_and_billed_as_it_says(begin: Begin, raw: bytes) -> None:
    world = begin(whole(raw))
    answer = world.ask(chat())
    assert answer.status == 200
    told: Any = json.loads(answer.body, parse_constant=pytest.fail)
    assert told["choices"][0]["message"]["content"].replace("\n", "") == "hello"
    assert told["usage"]["cost"] == 0.00006
    assert (world.row.usage_source, world.row.cost_nanousd, world.row.error_class) == ("reported", SMALL, None)


def test_a_client_of_the_other_dialect_is_answered_too(begin: Begin) -> None:
    world = begin(whole(with_nan()), whole(BOM + json.dumps(message()).encode()))
    assert json.loads(world.ask(messages("small"), surface="anthropic_messages").body)["content"][0]["text"] == "hello"
    assert json.loads(world.ask(chat("opus")).body)["choices"][0]["message"]["content"] == "hello"
    assert [row.usage_source for row in world.rows] == ["reported", "reported"]


HOPELESS = [b"<html>captive portal</html>", b"\xff\xfe{}", b"NaN", b"[1, 2]", b'{"object": "list", "x": NaN}', b"hello"]


@pytest.mark.parametrize("raw", HOPELESS)
def test_what_cannot_be_understood_is_one_502_at_one_hold(begin: Begin, raw: bytes) -> None:
    world = begin(whole(raw), more=strict("1"))
    answer = world.ask(chat())
    assert answer.status == 502
    assert json.loads(answer.body)["error"]["message"]
    assert world.row.error_class == "protocol"
    assert world.row.usage_flags == ("unknown_bill",)
    assert world.row.cost_nanousd == world.row.hold_nanousd
    assert world.budget("key:ci").settled_nanousd == world.row.hold_nanousd


def test_it_is_the_other_candidate_that_is_tried_then(begin: Begin) -> None:
    world = begin(whole(b"not JSON"), whole(completion()))
    assert world.ask(chat("auto")).status == 200
    assert [row.provider for row in world.rows] == ["one", "two"]


def test_the_502_is_in_the_clients_dialect(begin: Begin) -> None:
    world = begin(whole(b"not JSON"))
    answer = world.ask(messages(), surface="anthropic_messages")
    assert answer.status == 502
    assert json.loads(answer.body)["type"] == "error"
