"""A provider that lies in one field of its usage: the answer still arrives, is paid for once, and lifts no cap."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.playbooks.engine.conftest import CI, ENVIRONMENT, Playbook
from tests.playbooks.engine.wire import chat, completion, message

from bascule.testing.transport import Reply, stream, whole

CONFIG = """
data_dir: data
providers:
  one: {dialect: openai_chat, base_url: "https://one.test/v1", api_key: "env:ONE_KEY"}
  two: {dialect: openai_responses, base_url: "https://two.test/v1", api_key: "env:TWO_KEY"}
  claude: {dialect: anthropic_messages, base_url: "https://claude.test", api_key: "env:CLAUDE_KEY"}
  google: {dialect: gemini, base_url: "https://google.test/v1beta", api_key: "env:TWO_KEY"}
models:
  openai_chat: {endpoints: [{provider: one, model: m}], price: {input: 1, output: 10}}
  openai_responses: {endpoints: [{provider: two, model: m}], price: {input: 1, output: 10}}
  anthropic_messages: {endpoints: [{provider: claude, model: m}], price: {input: 1, output: 10}}
  gemini: {endpoints: [{provider: google, model: m}], price: {input: 1, output: 10}}
keys:
  ci: {secret: "env:CI_KEY"}
  other: {secret: "env:OTHER_KEY"}
budgets: [{scope: "key:ci", limit_usd: 1000000, window: day, mode: strict}]
"""
LIES = (-1, -(10**30), 10**12, 1e308, 2**63, "12", None, True, [], {}, 1.5)


def openai_chat(usage: Any, streamed: bool) -> Reply:
    if not streamed:
        return whole(completion(usage=usage))
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    said = {"index": 0, "delta": {"role": "assistant", "content": "hello"}, "finish_reason": None}
    ended = {"index": 0, "delta": {}, "finish_reason": "stop"}
    choices: list[list[Any]] = [[said], [ended]]
    events = [{**chunk, "choices": given} for given in choices]
    return stream(*[data(event) for event in (*events, {**chunk, "choices": [], "usage": usage})], b"data: [DONE]\n\n")


def openai_responses(usage: Any, streamed: bool) -> Reply:
    said = {"type": "output_text", "text": "hello", "annotations": []}
    item = {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [said]}
    answer = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "m"}
    answer |= {"output": [item], "usage": usage}
    if not streamed:
        return whole(answer)
    begun = {**answer, "status": "in_progress", "output": [], "usage": None}
    part = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}},
        {"type": "response.content_part.added", **part, "part": {**said, "text": ""}},
        {"type": "response.output_text.delta", **part, "delta": "hello"},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": answer},
    ]
    return stream(*[data({**event, "sequence_number": at}) for at, event in enumerate(events)])


def anthropic_messages(usage: Any, streamed: bool) -> Reply:
    if not streamed:
        return whole(message(usage=usage))
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": message(content=[], stop_reason=None, usage=usage)},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hello"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": usage},
        {"type": "message_stop"},
    ]
    return stream(*[data(event) for event in events])


def gemini(usage: Any, streamed: bool) -> Reply:
    said = {"content": {"role": "model", "parts": [{"text": "hello"}]}, "finishReason": "STOP", "index": 0}
    answer = {"candidates": [said], "usageMetadata": usage, "modelVersion": "m", "responseId": "r"}
    return stream(data(answer)) if streamed else whole(answer)


TRUE: dict[Callable[[Any, bool], Reply], dict[str, Any]] = {
    openai_chat: {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 2, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 1, "audio_tokens": 0},
    },
    openai_responses: {
        "input_tokens": 10,
        "output_tokens": 5,
        "total_tokens": 15,
        "input_tokens_details": {"cached_tokens": 2},
        "output_tokens_details": {"reasoning_tokens": 1},
    },
    anthropic_messages: {
        "input_tokens": 10,
        "output_tokens": 5,
        "cache_read_input_tokens": 2,
        "cache_creation_input_tokens": 3,
        "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 2},
        "server_tool_use": {"web_search_requests": 0},
        "service_tier": "standard",
    },
    gemini: {
        "promptTokenCount": 10,
        "candidatesTokenCount": 5,
        "totalTokenCount": 15,
        "cachedContentTokenCount": 2,
        "thoughtsTokenCount": 1,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 10}],
    },
}


def data(event: dict[str, Any]) -> bytes:
    return f"event: {event.get('type', 'message')}\ndata: {json.dumps(event)}\n\n".encode()


def lied(usage: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each field in turn, and the whole of it, replaced by each lie."""
    for lie in LIES:
        yield f"usage={lie!r}", lie
        for name, value in usage.items():
            yield f"{name}={lie!r}", {**usage, name: lie}
            for inner in value if type(value) is dict else ():
                yield f"{name}.{inner}={lie!r}", {**usage, name: {**value, inner: lie}}


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("answer", TRUE, ids=lambda answer: answer.__name__)
def test_no_lie_in_usage_is_free_or_paid_twice(
    tmp_path: Path, answer: Callable[[Any, bool], Reply], streamed: bool
) -> None:
    told = [*lied(TRUE[answer])]
    here = Playbook(CONFIG, [answer(usage, streamed) for _, usage in told], tmp_path, environment=ENVIRONMENT)
    spent = 0
    for asked, (lie, _) in enumerate(told, 1):
        assert here.ask(chat(answer.__name__, stream=streamed), key=CI).status == 200, lie
        budget = here.budget("key:ci")
        rows = here.rows
        row, paid = rows[-1], budget.settled_nanousd - spent
        spent = budget.settled_nanousd
        assert len(rows) == asked, lie
        assert budget.held_nanousd == 0, lie
        assert row.hold_nanousd is not None
        assert row.cost_nanousd is None or 0 < row.cost_nanousd <= row.hold_nanousd, lie
        assert paid == (
            row.cost_nanousd if row.usage_source == "reported" and row.cost_nanousd else row.hold_nanousd
        ), lie
    here.assert_at_rest()
    here.close()
