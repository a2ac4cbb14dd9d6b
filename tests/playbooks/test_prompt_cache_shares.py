"""A session of 64 turns keeps the share of its input that a provider's cache serves, whatever it is translated to."""

from pathlib import Path
from typing import Any

import pytest

from bascule.testing.agent_session import agent_session
from bascule.testing.cache_shares import (
    NATIVE,
    TO_ANTHROPIC,
    TO_ANTHROPIC_UNMARKED,
    TO_DEEPSEEK,
    TO_OPENAI,
    Shares,
    Way,
    run,
)

KEPT = 0.95


def shares(way: Way, directory: Path) -> Shares:
    return run(way, agent_session(), directory / way.speaks / way.client / way.inject)


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Shares:
    return shares(NATIVE, tmp_path_factory.mktemp("native"))


def test_the_session_is_what_it_claims_to_be(native: Shares) -> None:
    requests = list(agent_session())
    main = [request for request in requests if "x-claude-code-agent-id" not in request.headers]
    helpers = [request for request in requests if "x-claude-code-agent-id" in request.headers]
    assert len(main) == 64
    assert len(helpers) == native.requests - 64 > 0
    assert {len(request.body["tools"]) for request in main} == {28}
    assert {len(request.body["system"]) for request in requests} == {3}
    assert len({request.body["system"][0]["text"] for request in requests}) == 3, "a billing line for each agent"
    assert sum(request.pause_s > 300 for request in requests) == 2
    assert 90_000 < native.largest_tokens < 130_000

    def kinds(value: Any) -> set[str]:
        return {block["type"] for message in value for block in message["content"] if isinstance(block, dict)}

    last = main[-1].body["messages"]
    assert kinds(last) == {"text", "thinking", "tool_use", "tool_result"}
    assert {message["role"] for message in last} == {"user", "assistant", "system"}
    assert 0.8 < native.share < 1, "long pauses and what is new cost a little even there"


@pytest.mark.parametrize("way", [TO_ANTHROPIC, TO_OPENAI, TO_DEEPSEEK], ids=lambda way: way.name)
def test_a_translated_session_keeps_its_cache_share(
    way: Way, native: Shares, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    translated = shares(way, tmp_path)
    with capsys.disabled():
        print(f"\n{way.name}: {translated.share:.2%} of the input cached, natively {native.share:.2%}")
    assert translated.requests == native.requests
    assert translated.share >= KEPT * native.share


def test_without_marks_anthropic_caches_nothing_and_five_times_as_much_is_paid(tmp_path: Path) -> None:
    marked, unmarked = shares(TO_ANTHROPIC, tmp_path), shares(TO_ANTHROPIC_UNMARKED, tmp_path)
    assert unmarked.cached_tokens == 0
    assert unmarked.input_tokens == marked.input_tokens
    assert unmarked.cost_nanousd > 5 * marked.cost_nanousd
