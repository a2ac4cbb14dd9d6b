"""What a request does not ask for, or asks for where nobody looks, and is billed for all the same."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.playbooks.engine.conftest import CI, CONFIG, ENVIRONMENT, Playbook, strict
from tests.playbooks.engine.wire import answered, chat, message, messages

from bascule.testing.transport import whole

CATALOG = """
data_dir: data
providers:
  openai: {api_key: "env:ONE_KEY"}
  openrouter: {api_key: "env:TWO_KEY"}
  perplexity: {api_key: "env:ONE_KEY"}
  gemini: {api_key: "env:TWO_KEY"}
models:
  covered:
    endpoints: [{provider: perplexity, model: sonar-deep-research}]
    price: {input: 2, output: 8, request_usd: 5}
keys:
  ci: {secret: "env:CI_KEY"}
  other: {secret: "env:OTHER_KEY"}
"""
SEARCHERS = (
    "openai/gpt-4o-search-preview",
    "openai/gpt-4o-mini-search-preview-2025-03-11",
    "openai/gpt-5-search-api",
    "openai/o3-deep-research",
    "openrouter/openai/o4-mini-deep-research",
    "openrouter/perplexity/sonar-pro",
    "perplexity/sonar-deep-research",
    "perplexity/sonar-pro-search",
)
"""Each search of theirs has a fee, no request says how many there are, and no usage of theirs counts them."""


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Playbook]:
    made = Playbook(CATALOG + strict("1"), [answered()] * 2, tmp_path, environment=ENVIRONMENT)
    yield made
    made.assert_at_rest()
    made.close()


@pytest.mark.parametrize("model", SEARCHERS)
def test_a_model_that_searches_by_itself_has_no_bound(here: Playbook, model: str) -> None:
    answer = here.ask(chat(model))
    assert answer.status == 402
    assert answer.error["code"] == "unpriceable"
    assert "web_search" in answer.error["message"]
    assert here.upstream.calls == []


def test_a_model_that_may_answer_with_a_video_has_no_bound(here: Playbook) -> None:
    """The book has no price for one."""
    answer = here.ask(chat("gemini/gemini-omni-1.1-flash"))
    assert answer.status == 402
    assert "output_video" in answer.error["message"]
    assert here.upstream.calls == []


def test_searches_that_the_price_of_a_request_covers_are_held(here: Playbook) -> None:
    assert here.ask(chat("perplexity/sonar")).status == 200
    assert (here.row.hold_nanousd or 0) > 12_000_000  # its dearest search
    assert (here.row.cost_nanousd or 0) > 12_000_000


def test_whoever_states_the_price_of_a_searcher_answers_for_it(tmp_path: Path) -> None:
    here = Playbook(CATALOG + strict("10"), [answered()], tmp_path, environment=ENVIRONMENT)
    assert here.ask(chat("covered"), key=CI).status == 200
    assert (here.row.cost_nanousd or 0) > 5_000_000_000
    here.close()


def test_without_a_strict_budget_it_is_served(tmp_path: Path) -> None:
    here = Playbook(CATALOG, [answered()], tmp_path, environment=ENVIRONMENT)
    assert here.ask(chat("openai/gpt-4o-search-preview")).status == 200
    here.close()


@pytest.mark.parametrize("tool", [{"google_search": {}}, {"code_execution": {}}, {"url_context": {}, "function": {}}])
def test_a_tool_that_does_not_say_what_it_is_is_no_function(tmp_path: Path, tool: dict[str, Any]) -> None:
    here = Playbook(CONFIG + strict("1"), [answered()], tmp_path, environment=ENVIRONMENT)
    answer = here.ask(chat(tools=[tool]))
    assert answer.status == 402
    assert next(iter(tool)) in answer.error["message"]
    here.close()


def test_a_function_without_a_type_is_one(tmp_path: Path) -> None:
    here = Playbook(CONFIG + strict("1"), [answered()], tmp_path, environment=ENVIRONMENT)
    assert here.ask(chat(tools=[{"function": {"name": "f"}}])).status == 200
    assert json.loads(here.upstream.calls[0].body)["tools"] == [{"function": {"name": "f"}}]
    here.close()


@pytest.mark.parametrize("kind", ["image", "document", "container_upload"])
def test_a_system_block_that_is_no_text_has_no_bound(tmp_path: Path, kind: str) -> None:
    here = Playbook(CONFIG + strict("1"), [whole(message())], tmp_path, environment=ENVIRONMENT)
    block = {"type": kind, "source": {"type": "url", "url": "https://pictures.test/large"}}
    answer = here.ask(messages(system=[block, {"type": "text", "text": "be brief"}]), surface="anthropic_messages")
    assert answer.status == 402
    assert kind in answer.body.decode()
    assert here.upstream.calls == []
    here.close()
