"""The calls that `bascule certify` makes, and how their outcomes are judged. Pure.

Each is as small as the wire allows. An answer need not be good, only whole: usage there, the stream ended by the
provider's own word, a tool called in the dialect's own form, an unknown model refused as one.
"""

from typing import Any, Literal

import orjson
from msgspec import Struct

from bascule.dialects.sse import SseParser
from bascule.model.row import AttemptRow
from bascule.providers.spec import ProviderSpec

Dialect = Literal["openai_chat", "anthropic_messages"]

ANSWER_TOKENS = 32
TOOL_TOKENS = 256
"""Reasoning models think before they call."""
UNKNOWN_MODEL = "bascule-certify-no-such-model"
_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


class Probe(Struct, frozen=True, kw_only=True):
    """One call. `expects` names the judgement."""

    name: str
    expects: Literal["whole", "stream", "tool", "unknown_model"]
    body: dict[str, Any]


class Outcome(Struct, frozen=True, kw_only=True):
    """What the client got and what the ledger has of it."""

    status: int | None
    body: bytes
    row: AttemptRow | None


def probes(spec: ProviderSpec, dialect: Dialect, provider: str, model: str) -> tuple[Probe, ...]:
    """The calls for a provider by its name in the configuration, cheap ones first."""

    def body(name: str, text: str, tokens: int, **more: Any) -> dict[str, Any]:
        cap = spec.max_tokens_field if dialect == "openai_chat" else "max_tokens"
        return {"model": f"{provider}/{name}", "messages": [{"role": "user", "content": text}], cap: tokens} | more

    return (
        Probe(
            name="unknown model",
            expects="unknown_model",
            body=body(UNKNOWN_MODEL, "Hi", ANSWER_TOKENS),
        ),
        Probe(name="whole answer", expects="whole", body=body(model, "Say hello.", ANSWER_TOKENS)),
        Probe(name="stream", expects="stream", body=body(model, "Count to five.", ANSWER_TOKENS, stream=True)),
        Probe(
            name="tool call",
            expects="tool",
            body=body(model, "What is the weather in Paris? Use the tool.", TOOL_TOKENS, **_tool(dialect)),
        ),
    )


def _tool(dialect: Dialect) -> dict[str, Any]:
    told = {"name": "get_weather", "description": "The weather of a city."}
    if dialect == "anthropic_messages":
        return {"tools": [{**told, "input_schema": _SCHEMA}], "tool_choice": {"type": "any"}}
    return {"tools": [{"type": "function", "function": {**told, "parameters": _SCHEMA}}], "tool_choice": "required"}


def judge(probe: Probe, dialect: Dialect, outcome: Outcome) -> tuple[bool, str]:
    """Whether the provider did what its preset says, and what was seen."""
    row = outcome.row
    if row is None:
        return False, f"not sent: {_message(outcome.body)}"
    if probe.expects == "unknown_model":
        return row.error_class == "not_found", f"{row.status or 'no status'}, read as {row.error_class or 'an answer'}"
    if row.error_class is not None or outcome.status != 200:
        return False, f"{row.status or 'no status'} {row.error_class or ''}: {_message(outcome.body)}"
    usage = f"{row.tokens_in} in, {row.tokens_out} out"
    if row.usage_source != "reported" or not row.tokens_in:
        return False, f"no usage reported ({row.usage_source})"
    if probe.expects == "stream" and not _streamed(outcome.body):
        return False, "not a stream of events"
    if probe.expects == "tool" and not _called(dialect, outcome.body):
        return False, f"no tool was called (finish reason {row.finish_reason})"
    return True, f"{usage}, {row.finish_reason}"


def _streamed(body: bytes) -> bool:
    """More than one event, the last of them the dialect's own end (the codec has checked that)."""
    return len(SseParser().feed(body)) > 1


def _called(dialect: Dialect, body: bytes) -> bool:
    document = orjson.loads(body)
    if dialect == "anthropic_messages":
        return any(block.get("type") == "tool_use" for block in document.get("content") or ())
    return any((choice.get("message") or {}).get("tool_calls") for choice in document.get("choices") or ())


def _message(body: bytes) -> str:
    """The message of an error body, which is ours or the provider's; bounded."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body[:200].decode("utf-8", "replace")
    error = document.get("error") if isinstance(document, dict) else None
    return str(error.get("message") if isinstance(error, dict) else error)[:300]
