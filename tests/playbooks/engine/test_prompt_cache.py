"""What the engine does for the providers' own prompt caches: marks, keys, and money that is held for dear writes."""

import json
from typing import Any

import pytest
from tests.playbooks.engine.conftest import CONFIG, Begin, strict
from tests.playbooks.engine.wire import answered, chat, message, messages, usage

from bascule.testing.transport import Reply, whole

LONG = "what every request of this session begins with. " * 200
TOOLS = [{"type": "function", "function": {"name": "read", "parameters": {"type": "object", "properties": {}}}}]
SAID = [{"role": "system", "content": LONG}, {"role": "user", "content": "look"}]
GPT = CONFIG.replace("  one: {dialect: openai_chat,", "  one: {preset: openai,")


def marks(body: Any) -> int:
    return json.dumps(body).count('"cache_control"')


@pytest.mark.parametrize(
    ("more", "tools", "expected"),
    [
        ("", TOOLS, 3),
        ("", None, 0),
        ("cache: {prompt: {inject: off}}", TOOLS, 0),
        ("cache: {prompt: {inject: always}}", None, 1),
    ],
)
def test_a_translated_request_has_marks_where_they_pay(begin: Begin, more: str, tools: Any, expected: int) -> None:
    world = begin(whole(message()), more=more)
    assert world.ask(chat("opus", messages=SAID, tools=tools)).status == 200
    assert marks(world.upstream.body()) == expected


def test_a_relayed_request_has_marks_only_where_all_are_marked(begin: Begin) -> None:
    body = messages(system=LONG, messages=[{"role": "user", "content": "look"}], tools=[{"name": "read"}])
    world = begin(*[whole(message())] * 2)
    world.ask(body, surface="anthropic_messages")
    assert marks(world.upstream.body()) == 0
    world.reconfigure(CONFIG + "cache: {prompt: {inject: always}}")
    world.ask(body, surface="anthropic_messages")
    assert marks(world.upstream.body()) == 3


def test_a_strict_hold_covers_a_prompt_that_is_written_whole(begin: Begin) -> None:
    body = chat("opus", messages=SAID, tools=TOOLS, max_tokens=1)
    every_byte_a_token = {"input_tokens": 0, "cache_creation_input_tokens": len(json.dumps(body)), "output_tokens": 1}
    world = begin(whole(message(usage=every_byte_a_token)), more=strict("100"))
    assert world.ask(body).status == 200
    assert marks(world.upstream.body()) == 3
    row = world.row
    assert row.cost_nanousd is not None
    assert row.hold_nanousd is not None
    assert row.tokens_cache_write_5m is not None
    assert row.cost_nanousd > row.tokens_cache_write_5m * 5_000, "a write costs more than input"
    assert row.cost_nanousd <= row.hold_nanousd


def test_requests_of_a_session_are_routed_together_and_tell_no_client_ids(begin: Begin) -> None:
    world = begin(*[answered()] * 5, config=GPT)
    ask = messages("small", messages=[{"role": "user", "content": "look"}])
    keys = []
    for headers in (
        {"x-claude-code-session-id": "s-secret"},
        {"x-claude-code-session-id": "s-secret"},
        {"x-claude-code-session-id": "s-secret", "x-claude-code-agent-id": "helper"},
        {"x-claude-code-session-id": "s-other"},
    ):
        world.ask(ask, surface="anthropic_messages", headers=headers)
        keys.append(world.upstream.body()["prompt_cache_key"])
        assert b"secret" not in world.upstream.calls[-1].body
    first, again, helper, other = keys
    assert first == again
    assert len({first, helper, other}) == 3
    world.ask(ask, surface="anthropic_messages", key="other-secret-0123456789abcdef",
              headers={"x-claude-code-session-id": "s-secret"})  # fmt: skip
    assert world.upstream.body()["prompt_cache_key"] != first, "another client's session of the same name"


def test_providers_that_know_no_such_key_and_relayed_requests_get_none(begin: Begin) -> None:
    world = begin(answered(), answered())
    world.ask(messages("small"), surface="anthropic_messages", headers={"x-claude-code-session-id": "s"})
    assert "prompt_cache_key" not in world.upstream.body()
    world = begin(answered(), config=GPT)
    world.ask(chat("small"), headers={"x-session-id": "s"})
    assert "prompt_cache_key" not in world.upstream.body()


def cached(tokens: int) -> Reply:
    return answered(usage=usage(20_000, 5, prompt_tokens_details={"cached_tokens": tokens}))


@pytest.mark.parametrize(("more", "told"), [("", 1), ("cache: {prompt: {alert: {enabled: false}}}", 0)])
def test_a_session_whose_cache_stops_is_told_of(begin: Begin, more: str, told: int) -> None:
    world = begin(*[cached(tokens) for tokens in (0, *[18_000] * 5, 0, 0, 0)], more=more)
    for _ in range(9):
        world.clock.advance(20)
        assert world.ask(chat("small"), headers={"x-session-id": "s"}).status == 200
    assert sum(world.gateway.metrics.cache_collapses.values()) == told


def test_thresholds_are_the_configurations(begin: Begin) -> None:
    alert = "cache: {prompt: {alert: {warm_requests: 1, cold_requests: 1, least_tokens: 20000, lifetime_s: 30}}}"
    world = begin(*[cached(tokens) for tokens in (18_000, 0, 18_000, 0)], more=alert)
    for pause_s in (0, 20, 20, 31):
        world.clock.advance(pause_s)
        world.ask(chat("small"), headers={"x-session-id": "s"})
    assert world.gateway.metrics.cache_collapses == {("small", "one"): 1}
    assert world.gateway.metrics.uncached_prompts == {("small", "one", "cold"): 1, ("small", "one", "pause"): 1}
