"""A key has a model think beside `max_tokens`, where its provider does not count that within."""

from pathlib import Path
from typing import Any

import pytest
from tests.playbooks.engine.conftest import CI, Playbook, strict
from tests.playbooks.engine.wire import answered, chat, messages

CONFIG = """
data_dir: data
providers:
  dashscope: {api_key: "env:CI_KEY"}
  own: {dialect: openai_chat, base_url: "https://own.test/v1", api_key: none}
models:
  qwen: {endpoints: [{provider: dashscope, model: qwen-up}], price: {input: 1, output: 10}, context_window: 100000}
  plain: {endpoints: [{provider: dashscope, model: p}], price: {input: 1, output: 10}, reasoning: false}
  unknown: {endpoints: [{provider: dashscope, model: u}], price: {input: 1, output: 10}}
  own: {endpoints: [{provider: own, model: o}], price: {input: 1, output: 10}, context_window: 50000}
keys: {ci: {secret: "env:CI_KEY"}}
"""
OUT_NANOUSD = 10_000


def world(directory: Path, limit_usd: str) -> Playbook:
    return Playbook(CONFIG + strict(limit_usd), (answered(),), directory, environment={"CI_KEY": CI})


@pytest.mark.parametrize(
    ("model", "more", "beside"),
    [
        ("qwen", {}, 100_000),
        ("qwen", {"enable_thinking": True}, 100_000),
        ("qwen", {"enable_thinking": True, "thinking_budget": 500}, 500),
        ("qwen", {"enable_thinking": False}, 0),
        ("plain", {}, 0),
        ("own", {}, 0),
        ("own", {"enable_thinking": True}, 50_000),
    ],
    ids=str,
)
def test_what_may_be_thought_is_held(tmp_path: Path, model: str, more: dict[str, Any], beside: int) -> None:
    here = world(tmp_path, "100")
    assert here.ask(chat(model, max_tokens=100, **more)).status == 200
    held = here.row.hold_nanousd or 0
    assert 0 <= held - (100 + beside) * OUT_NANOUSD < 1_000 * OUT_NANOUSD
    here.close()


def test_a_client_of_another_dialect_is_held_alike(tmp_path: Path) -> None:
    here = world(tmp_path, "100")
    assert here.ask(messages("qwen", max_tokens=100), surface="anthropic_messages").status == 200
    assert (here.row.hold_nanousd or 0) > 100_000 * OUT_NANOUSD
    here.close()


def test_a_budget_that_thinking_does_not_fit_is_not_lent_to_it(tmp_path: Path) -> None:
    here = world(tmp_path, "0.5")
    answer = here.ask(chat("qwen", max_tokens=100))
    assert (answer.status, answer.error["code"]) == (402, "insufficient_quota")
    assert not here.upstream.calls
    here.close()


@pytest.mark.parametrize("more", [{}, {"enable_thinking": True}], ids=str)
def test_thinking_without_any_bound_is_refused_with_what_to_send(tmp_path: Path, more: dict[str, Any]) -> None:
    here = world(tmp_path, "100")
    answer = here.ask(chat("unknown", **more))
    assert (answer.status, answer.error["code"], answer.error["param"]) == (402, "unpriceable", "thinking_budget")
    assert "enable_thinking: false" in answer.error["message"]
    assert not here.upstream.calls
    here.close()
