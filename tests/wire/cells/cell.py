"""One cell: a client's request through the codec to a scripted provider, and its answer back to the client.

Nothing is stubbed but the network: the provider is the scripted upstream's own planner, which refuses what the real
one would, and what the client gets is parsed by its official SDK's models.
"""

import json
from collections.abc import Callable
from typing import Any

from msgspec import Struct
from tests.wire.cells import say_chat, say_gemini, say_messages, say_responses
from tests.wire.cells.ask import Ask, Body
from tests.wire.cells.told import READERS, Told, joined_gemini
from tests.wire.loader import run_stream
from tests.wire.sdk import parse_reply, parse_request, parse_stream, stream_events

from bascule.dialects.base import ReplyContext, Target
from bascule.dialects.registry import CLIENT_DIALECTS, PROVIDER_DIALECTS, codec, dialect, provider_dialect
from bascule.model.errors import Refusal
from bascule.model.outcome import Fault
from bascule.testing.response import plan_response
from bascule.testing.script import Dialect, ProviderRequest, Script
from bascule.testing.wires import understood

SAY: dict[str, Callable[[Ask], Body | None]] = {
    "openai_chat": say_chat.say,
    "openai_responses": say_responses.say,
    "anthropic_messages": say_messages.say,
    "gemini": say_gemini.say,
}
UPSTREAM: dict[str, tuple[Dialect, str, str]] = {
    "openai_chat": ("openai", "/v1/chat/completions", "/v1/chat/completions"),
    "anthropic_messages": ("anthropic", "/v1/messages", "/v1/messages"),
    "openai_responses": ("responses", "/v1/responses", "/v1/responses"),
    "gemini": (
        "gemini",
        "/v1beta/models/upstream:generateContent",
        "/v1beta/models/upstream:streamGenerateContent",
    ),
    "cohere": ("cohere", "/v2/chat", "/v2/chat"),
    "bedrock_converse": ("bedrock", "/model/upstream/converse", "/model/upstream/converse-stream"),
}
"""How the scripted upstream calls each dialect, and the paths of a whole and of a streamed answer."""
MODELS = {
    "bedrock_converse": "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "cohere": "command-a-reasoning-08-2025",
}
"""Where what a provider takes depends on the model."""
QUIRKS: dict[str, frozenset[str]] = {"openai_chat": frozenset({"reasoning_effort"})}
"""Of a model that reasons, where the dialect also serves models that do not."""
CELLS = [(client, provider) for client in CLIENT_DIALECTS for provider in PROVIDER_DIALECTS]
PIECE_BYTES = 11


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of one request in one cell."""

    refusal: Refusal | None = None
    seen: Body = {}
    """The body that the provider got."""
    told: Told | None = None
    fault: Fault | None = None


def exchange(client: str, provider: str, ask: Ask, script: Script, *, cut: bool = False) -> Outcome | None:
    """None where the client's dialect has no word for what is asked. `cut`: the stream breaks off before its end."""
    body = SAY[client](ask)
    if body is None:
        return None
    wire = {key: value for key, value in body.items() if client != "gemini" or key not in ("model", "stream")}
    raw = json.dumps(wire).encode()
    facts = dialect(client).read_facts(body, len(raw))
    target = Target(upstream_model=MODELS.get(provider, "upstream"), quirks=QUIRKS.get(provider, frozenset()))
    pair = codec(client, provider)
    sent = pair.request(body, raw, facts, target)
    if isinstance(sent, Refusal):
        return Outcome(refusal=sent)
    seen: Body = json.loads(sent)
    if client != provider:
        parse_request(provider, seen)
    answer = _answer(provider, seen, script, stream=ask.stream)
    context = ReplyContext(now_s=1_800_000_000, target=target, body=body)
    if not ask.stream:
        facts_of_reply = provider_dialect(provider).read_reply(answer)
        if isinstance(facts_of_reply, Fault):
            return Outcome(seen=seen, fault=facts_of_reply)
        told = pair.reply(answer, facts, "shown", None, context)
        parse_reply(client, told)
        return Outcome(seen=seen, told=READERS[client](json.loads(told)))
    stream = pair.stream(facts, "shown", False, context)
    out, fault = run_stream(stream, answer[: len(answer) // 2] if cut else answer, PIECE_BYTES, None)
    if fault is not None:
        return Outcome(seen=seen, fault=fault)
    return Outcome(seen=seen, told=_streamed(client, out))


def _answer(provider: str, seen: Body, script: Script, *, stream: bool) -> bytes:
    spoken, whole_path, stream_path = UPSTREAM[provider]
    path = stream_path if stream else whole_path
    request = ProviderRequest(
        number=1,
        dialect=spoken,
        path=path,
        model="upstream",
        stream=stream,
        headers={},
        body=understood(spoken, seen, path),
        raw_body=seen,
    )
    planned = plan_response(request, script, 0, "req_1", "http://127.0.0.1:9/_trap")
    data = b"".join([step.data for step in planned.response.steps])
    assert planned.response.status == 200, f"{provider} refused {seen}: {data!r}"
    return data


def _streamed(client: str, out: bytes) -> Told:
    if client == "gemini":
        chunks: list[Any] = [data for _, data in stream_events(out)]
        parse_stream(client, out)
        return READERS[client](joined_gemini(chunks))
    snapshot = parse_stream(client, out)
    return READERS[client](snapshot.model_dump(mode="json"))
