"""What a key or a route does not let out, on its way through the engine."""

import asyncio
import json
import logging
from typing import Any

import pytest
from tests.playbooks.engine.conftest import CONFIG, OTHER, Begin, strict
from tests.playbooks.engine.wire import a_stream, answered, chat, messages

CARD, MAIL, TOKEN = "4111 1111 1111 1111", "ann@example.com", "ghp_" + "a" * 36
SAID = f"my card is {CARD}, write to {MAIL}"


def protected(personal: str | None = None, secrets: str | None = None, config: str = CONFIG) -> str:
    actions = ", ".join(f"{kind}: {act}" for kind, act in (("personal", personal), ("secrets", secrets)) if act)
    return config.replace('ci: {secret: "env:CI_KEY"', f'ci: {{protect: {{{actions}}}, secret: "env:CI_KEY"')


def saying(text: str, model: str = "small", **more: Any) -> dict[str, Any]:
    return chat(model, messages=[{"role": "user", "content": text}], **more)


def test_redacted_words_reach_nobody(begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    world = begin(answered(), config=protected(personal="redact"))
    with caplog.at_level(logging.DEBUG):
        assert world.ask(saying(SAID)).status == 200
    sent = world.upstream.body()["messages"][0]["content"]
    assert sent == "my card is [redacted payment card], write to [redacted e-mail address]"
    assert world.gateway.metrics.protected == {("payment card", "redact"): 1, ("e-mail address", "redact"): 1}
    told = [record for record in caplog.records if record.name == "bascule.protection"]
    assert [record.__dict__["found"] for record in told] == [{"payment card": 1, "e-mail address": 1}]
    kept = "".join([str(record.__dict__) for record in caplog.records]) + str(world.rows)
    assert CARD not in kept
    assert MAIL not in kept


def test_what_is_longer_after_redaction_is_held_for(begin: Begin) -> None:
    short = "a@b.co " * 200
    plain, longer = begin(answered(), more=strict("9")), begin(answered(), config=protected("redact"), more=strict("9"))
    plain.ask(saying(short))
    longer.ask(saying(short))
    assert (longer.row.hold_nanousd or 0) > (plain.row.hold_nanousd or 0)


@pytest.mark.parametrize("stream", [False, True])
def test_blocked_requests_reach_nobody_in_either_dialect(begin: Begin, stream: bool) -> None:
    world = begin(config=protected(secrets="block"))
    answer = world.ask(saying(f"use {TOKEN}", stream=stream))
    assert (answer.status, answer.error["code"]) == (403, "protected_content")
    assert TOKEN not in answer.body.decode()
    body = messages("opus", system=f"the token is {TOKEN}")
    assert world.ask(body, surface="anthropic_messages").status == 403
    assert world.ask({"model": "vector", "input": [TOKEN]}, surface="openai_embeddings").status == 403
    assert world.upstream.calls == []
    assert world.rows == []


def test_a_request_is_kept_local_where_that_is_asked(begin: Begin) -> None:
    config = protected(personal="force_local").replace(
        "big: {endpoints: [{provider: two, model: big-up}]",
        "big: {endpoints: [{provider: two, model: big-up, data: {region: local}}]",
    )
    world = begin(answered(), answered(), config=config)
    assert world.ask(saying(SAID, "auto")).header("x-bascule-model") == "big"
    assert world.upstream.body()["messages"][0]["content"] == SAID
    assert world.ask(saying("hello", "auto")).header("x-bascule-model") == "small"
    assert world.ask(saying(SAID, "small")).status == 403
    assert len(world.upstream.calls) == 2


def test_a_route_protects_whoever_asks_for_it_and_adds_to_the_key(begin: Begin) -> None:
    config = CONFIG.replace(
        "auto: {candidates: [small, big]}", "auto: {candidates: [small, big], protect: {personal: block}}"
    )
    world = begin(answered(), config=config)
    for body in (saying(SAID, "auto"), saying(SAID, "small", models=["auto"])):
        assert world.ask(body, key=OTHER).status == 403
    assert world.ask(saying(SAID, "small"), key=OTHER).status == 200
    both = begin(config=protected(personal="redact", config=config))
    assert both.ask(saying(SAID, "auto")).status == 403


def test_other_keys_and_clean_requests_keep_their_bytes(begin: Begin) -> None:
    body = json.dumps(saying("nothing here"), indent=3).encode()
    worlds = [begin(answered(), config=protected(personal="redact")), begin(answered())]
    for world in worlds:
        world.ask(body)
    assert worlds[0].upstream.calls[0].body == worlds[1].upstream.calls[0].body
    world = begin(answered(), config=protected(personal="redact"))
    world.ask(saying(SAID), key=OTHER)
    assert world.upstream.body()["messages"][0]["content"] == SAID


def test_a_large_request_is_searched_beside_the_loop_and_a_larger_one_refused(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = []

    async def to_thread(work: Any, *arguments: Any) -> Any:  # a world's time does not wait for threads
        beside.append(work)
        return work(*arguments)

    monkeypatch.setattr(asyncio, "to_thread", to_thread)
    world = begin(a_stream("ok"), config=protected(personal="redact") + "protection: {max_chars: 50000}\n")
    answer = world.ask(saying("word " * 8_000 + MAIL, stream=True))
    assert answer.status == 200
    assert MAIL not in json.dumps(world.upstream.body())
    refused = world.ask(saying("word " * 11_000))
    assert refused.status == 413
    assert "protection.max_chars" in refused.error["message"]
    assert len(world.upstream.calls) == 1
    assert len(beside) == 2
