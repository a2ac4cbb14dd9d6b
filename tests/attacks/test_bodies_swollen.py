"""Bodies that are small on the wire and large once they are decoded; answers whose smallest words are large."""

import json
from typing import Any

import pytest
from tests.playbooks.engine.conftest import CONFIG, Begin, begin, strict  # noqa: F401
from tests.playbooks.engine.wire import answered, chat, completion

from bascule.dialects.values import most_values
from bascule.gateway import answering
from bascule.gateway.bodies import MAX_FIELDS, Bodies
from bascule.model.errors import Refusal
from bascule.testing.transport import whole

MOST = 2_000
LIMIT = f"server: {{limits: {{max_body_values: {MOST}}}}}\n"
STORE = "responses: {store: {enabled: true}}\n"
PIECES = ["[],", "{},", '{"a":1},', "1,", '"",', "[[[1]]],", "{},\n ", '"\\",",']


def swollen(piece: str, count: int) -> bytes:
    last = piece.strip().rstrip(",")
    return json.dumps(chat())[:-1].encode() + f', "metadata": [{piece * count}{last}]}}'.encode()


def decoded(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(decoded, value.values()))
    return 1 + (sum(map(decoded, value)) if isinstance(value, list) else 0)


@pytest.mark.parametrize("piece", PIECES)
def test_what_swells_is_refused_undecoded(begin: Begin, piece: str) -> None:  # noqa: F811
    world = begin(more=LIMIT)
    got = world.ask(swollen(piece, MOST))
    assert (got.status, got.error["code"]) == (413, "too_many_values")
    assert "max_body_values" in got.error["message"]
    assert world.upstream.calls == []


@pytest.mark.parametrize("piece", PIECES)
def test_nothing_holds_more_values_than_are_counted(piece: str) -> None:
    body = swollen(piece, 50)
    assert decoded(json.loads(body)) <= most_values(body)


def test_long_texts_do_not_swell(begin: Begin) -> None:  # noqa: F811
    prose = "Of bridges, and of the gates that open them. " * 500
    assert len(prose) > 10 * MOST
    world = begin(answered(), more=LIMIT)
    assert world.ask(chat(messages=[{"role": "user", "content": prose}])).status == 200


def test_a_new_limit_holds_from_the_next_request_on(begin: Begin) -> None:  # noqa: F811
    world = begin(answered(), more=LIMIT)
    world.reconfigure(CONFIG + f"server: {{limits: {{max_body_values: {10 * MOST}}}}}\n")
    assert world.ask(swollen("[],", MOST)).status == 200


def test_a_conversation_does_not_swell_turn_by_turn(begin: Begin) -> None:  # noqa: F811
    world = begin(answered(), answered(), more=LIMIT + STORE)
    part = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}] * (MOST // 4)}]
    body: dict[str, Any] = {"model": "small", "input": part}
    seen: list[int] = []
    while len(seen) < 5 and set(seen) <= {200}:
        got = world.ask(body, surface="openai_responses")
        seen.append(got.status)
        if got.status == 200:
            body["previous_response_id"] = got.json["id"]
    assert seen == [200, 200, 413]


def test_nobody_has_so_many_fields() -> None:
    many = {f"k{number}": 1 for number in range(MAX_FIELDS)}
    assert isinstance(Bodies().decode(json.dumps(many).encode()), dict)
    refused = Bodies().decode(json.dumps({**many, "more": 1}).encode())
    assert isinstance(refused, Refusal)
    assert (refused.kind, refused.code) == ("malformed", "too_many_fields")


ANSWERS = f"server: {{limits: {{max_response_values: {MOST}}}}}\n"


def padded(answer: dict[str, Any], name: str, piece: str) -> bytes:
    return json.dumps(answer)[:-1].encode() + f', "{name}": [{piece * MOST}1]}}'.encode()


@pytest.mark.parametrize("surface", ["openai_chat", "anthropic_messages", "openai_responses"])
@pytest.mark.parametrize("piece", ["[],", '{"a":1},', "1,"])
def test_an_answer_that_swells_is_not_decoded_and_costs_its_hold(
    begin: Begin,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    surface: Any,
    piece: str,
) -> None:
    def decoded(*_: object) -> None:
        raise AssertionError("it was decoded")

    monkeypatch.setattr(answering, "told_of_failure", decoded)
    monkeypatch.setattr(answering, "understood", decoded)
    body = {"model": "small", "input": "hi"} if surface == "openai_responses" else chat()
    world = begin(whole(padded(completion(), "x", piece)), more=ANSWERS + strict("1"))
    got = world.ask(body, surface=surface)
    assert got.status == 502
    assert "max_response_values" in got.error["message"]
    assert world.row.charged_nanousd == world.row.hold_nanousd


def test_vectors_are_numbers_by_the_million(begin: Begin) -> None:  # noqa: F811
    vector = {"object": "embedding", "index": 0, "embedding": [0.5] * 2 * MOST}
    answer = {"object": "list", "data": [vector], "model": "v", "usage": {"prompt_tokens": 1, "total_tokens": 1}}
    world = begin(whole(answer), whole(padded(answer, "x", "[],")), more=ANSWERS)
    body = {"model": "vector", "input": "hi"}
    assert world.ask(body, surface="openai_embeddings").status == 200
    assert world.ask(body, surface="openai_embeddings").status == 502


LONG = "y" * 100_000


@pytest.mark.parametrize(
    "said",
    [
        {"id": LONG},
        {"model": LONG},
        {"service_tier": LONG},
        {"choices": [{"index": 0, "message": {"role": "assistant", "content": "a"}, "finish_reason": LONG}]},
    ],
    ids=lambda said: next(iter(said)),
)
def test_no_word_of_a_provider_makes_a_ledger_line_long(begin: Begin, said: dict[str, Any]) -> None:  # noqa: F811
    world = begin(answered(**said), more=strict("1"))
    got = world.ask(chat())
    assert (got.status, len(got.body) > len(LONG)) == (200, True), "the client has it as it came"
    journal = b"".join(path.read_bytes() for path in world.directory.rglob("*.jsonl"))
    assert journal.count(b"\n") >= 2
    assert max(map(len, journal.splitlines())) < 10_000
