"""What is fuzzed, as the gateway would run it: nothing that a client or a provider sends may raise here.

A request may be refused; a provider's answer may be a fault. Whatever else comes out is a finding.
"""

import random
from collections.abc import Callable

from msgspec import Struct
from tests.wire.loader import cases

from bascule.dialects.base import ReplyContext, StreamCodec, Target
from bascule.dialects.registry import (
    CLIENT_DIALECTS,
    PROVIDER_DIALECTS,
    UnknownDialect,
    codec,
    dialect,
    provider_dialect,
)
from bascule.gateway.bodies import Bodies
from bascule.gateway.mending import understood
from bascule.model.errors import MalformedRequest, Refusal
from bascule.model.facts import Facts
from bascule.model.outcome import Fault

NAMES = (*CLIENT_DIALECTS, "openai_embeddings", "gemini_embeddings", "anthropic_count_tokens", "gemini_count_tokens")
TARGET = Target(upstream_model="upstream")
REFUSAL = Refusal(kind="upstream_failed", message="it broke off")


class Input(Struct, frozen=True):
    """One sound input, and what to do with it once it is no longer sound."""

    run: Callable[[str, bytes, random.Random], None]
    dialect: str
    data: bytes


def corpus() -> list[Input]:
    """Every request, answer, stream and error among the wire cases."""
    found = []
    for case in cases():
        if (case.folder / "request.json").exists():
            found.append(Input(request, case.client, case.raw))
        for name, run in (("upstream_reply.json", reply), ("upstream_error.json", error)):
            if (data := case.text(name)) is not None:
                found.append(Input(run, case.provider, data))
        if (data := case.upstream_stream()) is not None:
            found.append(Input(stream, case.provider, data))
    return found


def clients_of(provider: str) -> list[str]:
    """Who may be answered by this dialect."""
    return [client for client in NAMES if _is_pair(client, provider)]


def _is_pair(client: str, provider: str) -> bool:
    try:
        codec(client, provider)
    except UnknownDialect:
        return False
    return True


def request(client: str, data: bytes, dice: random.Random) -> None:
    """A client's body, to every provider."""
    body = Bodies().decode(data)
    if isinstance(body, Refusal):
        return
    if client == "gemini":
        body["model"], body["stream"] = "asked", False
    try:
        facts = dialect(client).read_facts(body, len(data))
    except MalformedRequest:
        return
    assert 0 <= facts.text_bytes <= len(data)
    for provider in PROVIDER_DIALECTS if client in CLIENT_DIALECTS else (client,):
        sent = codec(client, provider).request(body, data, facts, TARGET)
        assert isinstance(sent, bytes | Refusal)


def reply(provider: str, data: bytes, dice: random.Random) -> None:
    """A provider's whole answer, to every client."""
    data, read = understood(data, provider_dialect(provider).read_reply)
    if isinstance(read, Fault):
        return
    for client in clients_of(provider):
        context = ReplyContext(now_s=1, target=TARGET, body=None)
        assert isinstance(codec(client, provider).reply(data, Facts(model="m"), "m", 1_000, context), bytes)


def stream(provider: str, data: bytes, dice: random.Random) -> None:
    """A provider's stream in pieces, to every client: it ends, in a fault or as told."""
    cuts = sorted(dice.randrange(len(data) + 1) for _ in range(dice.randrange(4)))
    pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    for client in clients_of(provider):
        _play(codec(client, provider).stream(Facts(model="m", stream=True), "m", True, ReplyContext()), pieces)


def _play(coded: StreamCodec, pieces: list[bytes]) -> None:
    for piece in pieces:
        step = coded.feed(piece)
        if step.fault is not None:
            assert isinstance(coded.fail(REFUSAL), bytes)
            return
        if step.terminal:
            break
    else:
        step = coded.end()
        assert step.terminal or step.fault is not None, "a stream that neither ended nor failed"
        if step.fault is not None:
            assert isinstance(coded.fail(REFUSAL), bytes)
            return
    assert coded.facts.output_bytes >= 0
    assert isinstance(coded.close(1_000), bytes)


def error(provider: str, data: bytes, dice: random.Random) -> None:
    """A provider's error of any status."""
    status = dice.choice((400, 401, 403, 404, 408, 413, 422, 429, 500, 502, 503, 529))
    assert isinstance(provider_dialect(provider).read_fault(status, {"retry-after": "x"}, data), Fault)
