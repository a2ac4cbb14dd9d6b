"""A provider hides an astronomic count where counts of text are not looked for. Nobody's budget is spent by it."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.playbooks.engine.conftest import CONFIG, ENVIRONMENT, Playbook, strict
from tests.playbooks.engine.wire import chat, completion, message, usage

from bascule.testing.transport import Reply, whole

HUGE = 10**12
GOOGLE = """
  google: {dialect: gemini, base_url: "https://google.test/v1beta", api_key: "env:TWO_KEY"}
models:
  flash: {endpoints: [{provider: google, model: flash-up}], price: {input: 1, output: 10}, max_output: 4000}
"""
SEARCHING = CONFIG.replace("\nmodels:\n", GOOGLE).replace("output: 25}", "output: 25, web_search_usd: 0.01}")


def flash(**counts: Any) -> Reply:
    said = {"content": {"role": "model", "parts": [{"text": "hello"}]}, "finishReason": "STOP", "index": 0}
    return whole({"candidates": [said], "usageMetadata": {"promptTokenCount": 10, **counts}, "modelVersion": "m"})


def spoken(tokens: int) -> Reply:
    return whole(completion(usage=usage(10, tokens, completion_tokens_details={"audio_tokens": tokens})))


LIES = {
    "audio": ("small", spoken(HUGE)),
    "image": ("flash", flash(candidatesTokenCount=HUGE,
                             candidatesTokensDetails=[{"modality": "IMAGE", "tokenCount": HUGE}])),
    "the total alone": ("small", whole(completion(usage={**usage(10, 5), "total_tokens": HUGE}))),
    "searches": ("opus", whole(message(usage={"input_tokens": 10, "output_tokens": 5,
                                              "server_tool_use": {"web_search_requests": HUGE}}))),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_an_astronomic_count_of_any_kind_is_not_believed(tmp_path: Path, name: str) -> None:
    model, reply = LIES[name]
    here = Playbook(SEARCHING + strict("100"), [reply, reply], tmp_path, environment=ENVIRONMENT)
    assert here.ask(chat(model)).status == 200
    row = here.row
    assert row.usage_source == "estimated"
    assert str(HUGE) in json.dumps(row.usage_raw)
    assert here.budget("key:ci").settled_nanousd == row.hold_nanousd
    assert here.ask(chat(model)).status == 200
    here.assert_at_rest()
    here.close()
