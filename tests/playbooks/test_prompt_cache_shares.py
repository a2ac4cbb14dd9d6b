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
    TO_OPENROUTER,
    Shares,
    Way,
    run,
)

KEPT = 0.95
PAGE = Path(__file__).parents[2] / "docs" / "caching.md"
TRANSLATED = (TO_ANTHROPIC, TO_OPENAI, TO_DEEPSEEK, TO_OPENROUTER)
ROWS = {
    NATIVE.name: "Messages, Anthropic (native)",
    TO_ANTHROPIC.name: "Chat Completions, Anthropic",
    TO_ANTHROPIC_UNMARKED.name: "the same with `inject: off`",
    TO_OPENAI.name: "Messages, OpenAI",
    TO_DEEPSEEK.name: "Messages, DeepSeek",
    TO_OPENROUTER.name: "Messages, Anthropic's model at OpenRouter",
}
"""What the ways are called in the page."""


@pytest.fixture(scope="module")
def shares(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Shares]:
    """What came of the session in each way, by name."""
    ways = (NATIVE, TO_ANTHROPIC_UNMARKED, *TRANSLATED)
    return {way.name: run(way, agent_session(), tmp_path_factory.mktemp("way")) for way in ways}


@pytest.fixture
def native(shares: dict[str, Shares]) -> Shares:
    return shares[NATIVE.name]


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


@pytest.mark.parametrize("way", TRANSLATED, ids=lambda way: way.name)
def test_a_translated_session_keeps_its_cache_share(
    way: Way, shares: dict[str, Shares], native: Shares, capsys: pytest.CaptureFixture[str]
) -> None:
    translated = shares[way.name]
    with capsys.disabled():
        print(f"\n{way.name}: {translated.share:.2%} of the input cached, natively {native.share:.2%}")
    assert translated.requests == native.requests
    assert translated.share >= KEPT * native.share


def test_without_marks_anthropic_caches_nothing_and_five_times_as_much_is_paid(shares: dict[str, Shares]) -> None:
    marked, unmarked = shares[TO_ANTHROPIC.name], shares[TO_ANTHROPIC_UNMARKED.name]
    assert unmarked.cached_tokens == 0
    assert unmarked.input_tokens == marked.input_tokens
    assert unmarked.cost_nanousd > 5 * marked.cost_nanousd


def test_the_page_says_what_the_command_prints(shares: dict[str, Shares], native: Shares) -> None:
    page = PAGE.read_text()
    for name, row in ROWS.items():
        found = shares[name]
        share, kept = (f"{value * 100:.2f} %" for value in (found.share, found.share / native.share))
        assert f"| {row} | {share} | {kept} | ${found.cost_nanousd / 1e9:.2f} |" in page
