"""Who may ask for what: keys, grants, names and bodies, refused in the client's own dialect."""

from typing import Any

import pytest
from tests.playbooks.engine.conftest import CI, CONFIG, OTHER, Begin
from tests.playbooks.engine.wire import HI, answered, chat, messages

from bascule.gateway.surfaces import Surface

GRANTED = CONFIG.replace('ci: {secret: "env:CI_KEY"', 'ci: {models: [auto, small], secret: "env:CI_KEY"')

SURFACES: list[tuple[Surface, dict[str, Any]]] = [
    ("openai_chat", chat()),
    ("openai_chat", chat(stream=True)),
    ("openai_embeddings", {"model": "vector", "input": "hi"}),
    ("anthropic_messages", messages("small")),
    ("anthropic_count_tokens", {"model": "opus", "messages": HI}),
]


def error_type(surface: Surface, answer: Any) -> str:
    """Anthropic's bodies have a type of their own around the error."""
    body = answer.json
    assert (body.get("type") == "error") == surface.startswith("anthropic")
    found: str = body["error"]["type"]
    return found


@pytest.mark.parametrize(("surface", "body"), SURFACES)
@pytest.mark.parametrize("key", [None, "", "wrong", CI + "x", CI[:-1]])
def test_no_surface_serves_an_unknown_key(begin: Begin, surface: Surface, body: Any, key: str | None) -> None:
    world = begin()
    answer = world.ask(body, surface=surface, key=key)
    assert answer.status == 401
    expected = "authentication_error" if surface.startswith("anthropic") else "invalid_request_error"
    assert error_type(surface, answer) == expected
    if key is None:
        assert "x-goog-api-key" in answer.body.decode()
    assert answer.header("cache-control") == "private, no-store"
    assert world.upstream.calls == []


def test_without_keys_anyone_who_reaches_it_may_ask(begin: Begin) -> None:
    head, _, _ = CONFIG.partition("keys:\n")
    world = begin(answered(), answered(), config=head)
    assert world.ask(chat(), key=None).status == 200
    assert world.ask(chat(), key="sk-anything").status == 200
    assert {row.key for row in world.rows} == {None}


@pytest.mark.parametrize(("expires", "status"), [("2026-11-21", 401), ("2026-11-22", 200)])
def test_keys_expire(begin: Begin, expires: str, status: int) -> None:
    config = CONFIG.replace('ci: {secret: "env:CI_KEY"', f'ci: {{expires: {expires}, secret: "env:CI_KEY"')
    answer = begin(answered(), config=config).ask(chat())
    assert answer.status == status
    if status == 401:
        assert "expired" in answer.error["message"]


@pytest.mark.parametrize(
    "body",
    [
        chat("big"),
        chat("nothing"),
        chat("one/small-up"),
        chat("small", models=["big"]),
        chat("small", models=["auto", "two/big-up"]),
    ],
)
def test_a_key_may_ask_only_for_what_it_was_granted(begin: Begin, body: dict[str, Any]) -> None:
    world = begin(config=GRANTED)
    answer = world.ask(body)
    assert answer.status == 403
    assert answer.error["code"] == "model_not_allowed"
    assert answer.header("x-should-retry") == "false"
    assert world.ask(messages("big"), surface="anthropic_messages").status == 403
    assert world.upstream.calls == []


def test_what_was_granted_is_served_a_routes_candidates_included(begin: Begin) -> None:
    world = begin(answered(), answered(), answered(), config=GRANTED)
    for name in ("small", "auto", "small:floor"):
        assert world.ask(chat(name)).status == 200


@pytest.mark.parametrize("name", ["nothing", "nobody/nothing", "small:turbo", "auto/small", "x" * 250])
def test_a_name_that_stands_for_nothing_is_404_in_both_dialects(begin: Begin, name: str) -> None:
    world = begin()
    openai = world.ask(chat(name))
    assert (openai.status, openai.error["code"]) == (404, "model_not_found")
    anthropic = world.ask(messages(name), surface="anthropic_messages")
    assert (anthropic.status, anthropic.error["type"]) == (404, "not_found_error")
    assert len(anthropic.body) < 2_000
    assert openai.header("x-should-retry") == "false"
    assert "Did you mean 'small'?" in world.ask(chat("smalll")).error["message"]
    assert (world.decision(openai).refusal or "").startswith("model_not_found: ")
    assert world.rows == []


BAD_BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"\xff\xfe",
    b'{"model": "small", "messages": []}',
    b'{"model": "small"}',
    b'{"model": "", "messages": [{"role": "user", "content": "hi"}]}',
    b'{"model": "' + b"x" * 10_000 + b'", "messages": [{"role": "user", "content": "hi"}]}',
    b'{"model": 7, "messages": [{"role": "user", "content": "hi"}]}',
    b'{"model": "small", "messages": "hi"}',
    b'{"model": "small", "messages": [1]}',
    b'{"model": "small", "messages": [{"role": "user", "content": 7}]}',
    b'{"model": "small", "messages": [{"role": "user", "content": "\\ud800"}]}',
    b'{"model": "small", "max_tokens": "many", "messages": [{"role": "user", "content": "hi"}]}',
    b'{"model": "small", "stream": "yes", "messages": [{"role": "user", "content": "hi"}]}',
    b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    b"[" * 100_000,
    b'{"model": NaN, "messages": [{"role": "user", "content": "hi"}]}',
]


@pytest.mark.parametrize("body", BAD_BODIES, ids=range(len(BAD_BODIES)))
@pytest.mark.parametrize("surface", ["openai_chat", "anthropic_messages"])
def test_a_body_that_cannot_be_understood_is_400(begin: Begin, body: bytes, surface: Surface) -> None:
    world = begin()
    answer = world.ask(body, surface=surface)
    assert answer.status == 400
    assert error_type(surface, answer) == "invalid_request_error"
    assert world.upstream.calls == []


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-bascule-quality", "superb"),
        ("x-bascule-max-cost-usd", "-1"),
        ("x-bascule-data", "retention=nnoe"),
        ("x-bascule-deadline", "soon"),
        ("x-bascule-cache", "maybe"),
    ],
)
def test_a_header_that_cannot_be_understood_is_refused_not_ignored(begin: Begin, header: str, value: str) -> None:
    answer = begin().ask(chat(), headers={header: value})
    assert answer.status == 400
    assert answer.error["param"] == header


def test_a_constraint_that_nobody_meets_is_403(begin: Begin) -> None:
    world = begin()
    answer = world.ask(chat("auto"), headers={"x-bascule-data": "retention=none"})
    assert answer.status == 403
    assert (world.decision(answer).refusal or "").startswith("forbidden: ")


KNOWN = "small: {endpoints: [{provider: one, model: small-up, data: {retention: 30d, training: false, region: eu}}]"
TIGHT = CONFIG.replace("small: {endpoints: [{provider: one, model: small-up}]", KNOWN)


@pytest.mark.parametrize(
    ("data", "served"),
    [
        ("{retention: 30d, training: false, regions: [eu]}", True),
        ("{providers: {allow: [one]}}", True),
        ("{retention: none}", False),
        ("{regions: [us]}", False),
        ("{zdr: true}", False),
        ("{providers: {deny: [one, two, claude]}}", False),
    ],
)
def test_a_keys_data_policy_holds_before_anything_is_sent(begin: Begin, data: str, served: bool) -> None:
    config = TIGHT.replace('ci: {secret: "env:CI_KEY"', f'ci: {{data: {data}, secret: "env:CI_KEY"')
    world = begin(*([answered()] if served else []), config=config)
    assert world.ask(chat()).status == (200 if served else 403)
    assert world.ask(chat(), headers={"x-bascule-data": "retention=12h"}).status == 403
    assert world.ask(chat("big")).status == 403  # of which nothing is known
    assert world.ask(messages("opus"), surface="anthropic_messages").status == 403
    assert len(world.upstream.calls) == served


def test_routes_and_requests_only_tighten_a_keys_data_policy(begin: Begin) -> None:
    config = TIGHT.replace(
        "auto: {candidates: [small, big]}", "auto: {candidates: [small, big], data: {retention: 90d}}"
    )
    config = config.replace('ci: {secret: "env:CI_KEY"', 'ci: {data: {retention: none}, secret: "env:CI_KEY"')
    world = begin(answered(), config=config)
    for headers in ({}, {"x-bascule-data": "retention=90d"}, {"x-bascule-data": "allow=one,training=yes"}):
        answer = world.ask(chat("auto"), headers=headers)
        assert answer.status == 403
        assert "wanted none" in answer.error["message"]
    assert world.upstream.calls == []
    assert world.ask(chat("auto"), key=OTHER).status == 200
