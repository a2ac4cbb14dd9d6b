"""Surfaces beside chat: embeddings and token counts, and that each enforces alike."""

from typing import Any

import pytest
from tests.playbooks.engine.conftest import Begin, budget, strict
from tests.playbooks.engine.wire import HI, answered, chat, messages, openai_error

from bascule.gateway.surfaces import Surface
from bascule.testing.transport import broken, whole

EMBED = {"model": "vector", "input": ["hello", "world"]}
COUNT = {"model": "opus", "messages": HI}
VECTORS = {
    "object": "list",
    "model": "vector-up-2026",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}],
    "usage": {"prompt_tokens": 8, "total_tokens": 8},
}


def test_embeddings_are_priced_and_passed_through(begin: Begin) -> None:
    world = begin(whole(VECTORS), more=strict("1"))
    answer = world.ask(EMBED, surface="openai_embeddings")
    assert answer.status == 200
    assert answer.json["data"] == VECTORS["data"]
    assert answer.json["usage"]["cost"] == 0.000008
    assert world.upstream.calls[0].target == "/v1/embeddings"
    assert world.upstream.body() == {**EMBED, "model": "vector-up"}
    row = world.row
    assert (row.dialect_in, row.model) == ("openai_embeddings", "vector")
    assert (row.tokens_in, row.tokens_out, row.cost_nanousd) == (8, 0, 8_000)
    assert 8_000 < (row.hold_nanousd or 0) < 1_000_000
    assert world.budget("key:ci").settled_nanousd == 8_000


def test_embeddings_fail_over_and_are_refused_like_everything_else(begin: Begin) -> None:
    world = begin(openai_error(503), whole(VECTORS))
    assert world.ask(EMBED, surface="openai_embeddings").status == 200
    assert len(world.rows) == 2
    anthropic = world.ask({**EMBED, "model": "opus"}, surface="openai_embeddings")
    assert anthropic.status == 400
    assert "does not serve" in anthropic.error["message"]
    assert world.ask({"model": "vector"}, surface="openai_embeddings").status == 400


def test_an_embedding_whose_usage_is_missing_is_estimated(begin: Begin) -> None:
    world = begin(whole({**VECTORS, "usage": None}))
    world.ask(EMBED, surface="openai_embeddings")
    assert world.row.usage_source == "estimated"
    assert (world.row.tokens_in or 0) > 0
    assert world.row.cost_nanousd == (world.row.tokens_in or 0) * 1_000


def test_a_count_by_the_provider_is_a_row_that_costs_nothing(begin: Begin) -> None:
    world = begin(whole({"input_tokens": 12}), more=strict("0.000000001"))
    answer = world.ask(COUNT, surface="anthropic_count_tokens", query="beta=true&key=secret")
    assert answer.json == {"input_tokens": 12}
    assert world.upstream.calls[0].target == "/v1/messages/count_tokens?beta=true"
    assert world.upstream.body() == {**COUNT, "model": "opus-up"}
    row = world.row
    assert (row.dialect_in, row.provider, row.status) == ("anthropic_count_tokens", "claude", 200)
    assert (row.cost_nanousd, row.hold_nanousd, row.usage_source) == (0, 0, "none")


def test_a_count_needs_no_bound_on_a_strict_budget(begin: Begin) -> None:
    world = begin(whole({"input_tokens": 1_200}), more=strict("1"))
    image = {"type": "image", "source": {"type": "url", "url": "https://example.com/cat.png"}}
    body = {"model": "opus", "messages": [{"role": "user", "content": [image]}]}
    assert world.ask(body, surface="anthropic_count_tokens").status == 200


def test_a_count_for_any_other_provider_is_our_own_estimate(begin: Begin) -> None:
    world = begin()
    body = {"model": "small", "messages": [{"role": "user", "content": "word " * 1_000}]}
    answer = world.ask(body, surface="anthropic_count_tokens")
    assert answer.status == 200
    assert 1_000 <= answer.json["input_tokens"] <= 1_600
    assert "estimated" in (answer.header("x-bascule-reason") or "")
    assert world.upstream.calls == []
    assert world.rows == []


def test_a_count_that_fails_costs_nothing_either(begin: Begin) -> None:
    world = begin(broken("reset"), openai_error(500), broken("reset"))
    answer = world.ask(COUNT, surface="anthropic_count_tokens")
    assert answer.status == 502
    assert [row.cost_nanousd for row in world.rows] == [0, 0, 0]


EVERY: list[tuple[Surface, dict[str, Any]]] = [
    ("openai_chat", chat()),
    ("openai_chat", chat(stream=True)),
    ("openai_chat", chat("opus")),
    ("openai_chat", chat("one/unheard-of")),
    ("anthropic_messages", messages()),
    ("anthropic_messages", messages("small", stream=True)),
    ("openai_embeddings", EMBED),
    ("openai_embeddings", {"model": "vector", "input": [[1, 2, 3]]}),
]


@pytest.mark.parametrize("mode", ["strict", "expected"])
@pytest.mark.parametrize(("surface", "body"), EVERY)
def test_every_surface_over_budget_is_402_and_calls_nobody(
    begin: Begin, surface: Surface, body: dict[str, Any], mode: str
) -> None:
    world = begin(more=budget("0.000001", mode))
    assert world.ask(body, surface=surface).status == 402
    assert world.upstream.calls == []


def test_what_a_translated_request_cannot_say_is_refused_not_dropped(begin: Begin) -> None:
    """`n` has no word in the Messages dialect."""
    world = begin(answered())
    answer = world.ask(chat("opus", n=2))
    assert (answer.status, answer.error["code"]) == (400, "unsupported_parameter")
    assert answer.header("x-should-retry") == "false"
    assert world.rows == []
    assert world.ask(chat("mixed", n=2)).header("x-bascule-model") == "small"
