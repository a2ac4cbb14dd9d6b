"""What Codex asks and a provider of the Responses dialect answers, as small as it can be."""

from typing import Any

from tests.playbooks.engine.conftest import CONFIG
from tests.playbooks.engine.wire import (
    named,
)

NATIVE = CONFIG.replace(
    "models:",
    """
  native: {dialect: openai_responses, base_url: "https://native.test/v1", api_key: "env:ONE_KEY"}
  openai: {base_url: "https://openai.test/v1", api_key: "env:ONE_KEY"}
models:
  five: {endpoints: [{provider: native, model: five-up}], price: {input: 1, output: 10}, max_output: 4000}
  both: {endpoints: [{provider: openai, model: both-up}], price: {input: 1, output: 10}, max_output: 4000}
""",
    1,
)
TOOL = {"type": "function", "name": "read", "parameters": {"type": "object", "properties": {}}, "strict": False}
CREW = {"type": "namespace", "name": "crew", "description": "Others.", "tools": [{**TOOL, "name": "hire"}]}
SEARCH = {"type": "web_search", "external_web_access": True}


def codex(model: str = "small", **more: Any) -> dict[str, Any]:
    """A first turn of Codex's, in short."""
    said = [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "You help with code."}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
    ]
    return {
        "model": model,
        "input": said,
        "tools": [TOOL, CREW, SEARCH],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "reasoning": {"summary": "auto"},
        "store": False,
        "stream": True,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "thread-7",
        "client_metadata": {"a": "b"},
        **more,
    }


def response(text: str = "hello", status: str = "completed", **more: Any) -> dict[str, Any]:
    """A whole response of 10 tokens in and 5 out, which costs 60,000 nano-USD at `five`."""
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    message = {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [part]}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": status,
        "model": "five-up-2026",
        "output": [message],
        "error": None,
        "usage": {
            "input_tokens": 10,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 5,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 15,
        },
        **more,
    }


def begun() -> bytes:
    return named("response.created", sequence_number=0, response=response(status="in_progress", output=[], usage=None))


def delta(text: str) -> bytes:
    return named("response.output_text.delta", sequence_number=1, output_index=0, content_index=0, delta=text)


def completed(**more: Any) -> bytes:
    return named("response.completed", sequence_number=2, response=response(**more))


def events(answer: Any) -> list[dict[str, Any]]:
    return [event for event in answer.data if isinstance(event, dict)]
