"""A key has a model work whose tokens are free, and whose provider charges for what it does beside them."""

from pathlib import Path
from typing import Any

import pytest
from tests.playbooks.engine.conftest import CI, Playbook, budget
from tests.playbooks.engine.wire import answered, chat, completion, usage

from bascule.testing.transport import Reply, whole

CONFIG = """
data_dir: data
providers:
  far: {dialect: openai_chat, base_url: "https://far.test/v1", api_key: none}
  mine: {dialect: openai_chat, base_url: "https://mine.test/v1", api_key: none, data: {region: local}}
  near: {dialect: openai_chat, base_url: "http://gpu-7:8000/v1", api_key: none}
  loop: {dialect: openai_chat, base_url: "http://127.0.0.1:8000/v1", api_key: none}
  whole: {dialect: openai_chat, base_url: "https://whole.test/v1", api_key: none, price: {input: 0, output: 0}}
models:
  far: {endpoints: [{provider: far, model: x}], price: {input: 0, output: 0}}
  stated: {endpoints: [{provider: far, model: y}], price: {input: 0, output: 0, web_search_usd: 0}}
  mine: {endpoints: [{provider: mine, model: x}], price: {input: 0, output: 0}}
  near: {endpoints: [{provider: near, model: x}], price: {input: 0, output: 0}}
  loop: {endpoints: [{provider: loop, model: x}], price: {input: 0, output: 0}}
keys: {ci: {secret: "env:CI_KEY"}}
"""
SEARCH: dict[str, Any] = {"web_search_options": {}}
PLUGIN: dict[str, Any] = {"plugins": [{"id": "web"}]}
FILE = {"type": "file", "file": {"file_data": "data:application/pdf;base64,aGk="}}
PICTURE = {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}


def world(directory: Path, mode: str, reply: Reply) -> Playbook:
    return Playbook(CONFIG + budget("1", mode), (reply,), directory, environment={"CI_KEY": CI})


def said(part: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [part]}]}


@pytest.mark.parametrize("model", ["far", "whole/z"])
@pytest.mark.parametrize("more", [SEARCH, PLUGIN, {"tools": [{"type": "mcp"}]}, said(FILE)], ids=str)
def test_what_may_have_a_fee_is_refused_on_a_strict_budget(tmp_path: Path, model: str, more: dict[str, Any]) -> None:
    here = world(tmp_path, "strict", answered())
    answer = here.ask(chat(model, **more))
    assert (answer.status, answer.error["code"]) == (402, "unpriceable")
    assert "nly tokens are known to be free" in answer.error["message"]
    assert not here.upstream.calls
    here.close()


@pytest.mark.parametrize(
    ("model", "more"),
    [
        ("far", {}),
        ("far", said(PICTURE)),
        ("far", {"tools": [{"type": "function", "function": {"name": "f"}}]}),
        ("stated", SEARCH),
        *[(own, more) for own in ("mine", "near", "loop") for more in (SEARCH, PLUGIN, said(FILE))],
    ],
    ids=str,
)
def test_tokens_alone_and_servers_of_ones_own_are_free(tmp_path: Path, model: str, more: dict[str, Any]) -> None:
    here = world(tmp_path, "strict", answered())
    assert here.ask(chat(model, **more)).status == 200
    assert here.row.cost_nanousd == 0
    here.close()


def test_another_tool_is_not_stated_with_searches(tmp_path: Path) -> None:
    here = world(tmp_path, "strict", answered())
    assert here.ask(chat("stated", **PLUGIN)).status == 402
    here.close()


def test_where_nothing_is_strict_it_passes(tmp_path: Path) -> None:
    here = world(tmp_path, "expected", whole(completion(usage=usage(10, 5))))
    assert here.ask(chat("far", **SEARCH)).status == 200
    here.close()
