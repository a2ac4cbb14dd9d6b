"""Promise 12: a stream whose later event tells less than an earlier one, in each dialect that counts as it goes."""

from pathlib import Path
from typing import Any

import pytest
from tests.playbooks.engine.conftest import CI, CONFIG, strict
from tests.playbooks.engine.wire import DONE, ROLE, chat, chunk, messages, sse, text, used
from tests.promises.conftest import Figure
from tests.promises.steady import gateway

from bascule.testing.transport import Reply, stream

TOLD, TAKEN_BACK = 90, 1
"""Output tokens."""
GOOGLE = '  google: {dialect: gemini, base_url: "https://g.test/v1beta", api_key: none}\nmodels:'
GEM = (
    "  gem: {endpoints: [{provider: google, model: gem-up}], price: {input: 1, output: 10}, max_output: 4000}\nroutes:"
)


def messages_stream() -> Reply:
    def event(kind: str, **more: Any) -> bytes:
        return f"event: {kind}\n".encode() + sse({"type": kind, **more})

    start = {"id": "m", "type": "message", "role": "assistant", "model": "opus-up", "content": []}
    return stream(
        event("message_start", message={**start, "usage": {"input_tokens": 10, "output_tokens": 1}}),
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": "hello"}),
        event("content_block_stop", index=0),
        event("message_delta", delta={}, usage={"output_tokens": TOLD}),
        event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": TAKEN_BACK}),
        event("message_stop"),
    )


def gemini_stream() -> Reply:
    def part(words: str, tokens: int, **more: Any) -> bytes:
        said = {"content": {"parts": [{"text": words}], "role": "model"}, **more}
        return sse({"candidates": [said], "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": tokens}})

    return stream(part("hel", TOLD), part("lo", TAKEN_BACK, finishReason="STOP"))


CASES: dict[str, tuple[Reply, dict[str, Any], str, int]] = {
    "openai_chat": (
        stream(ROLE, text("hello"), used(10, TOLD), chunk({}, "stop"), used(10, TAKEN_BACK), DONE),
        chat("small", stream=True),
        "openai_chat",
        10 * 1_000 + TOLD * 10_000,
    ),
    "anthropic_messages": (
        messages_stream(),
        messages("opus", stream=True),
        "anthropic_messages",
        10 * 5_000 + TOLD * 25_000,
    ),
    "gemini": (gemini_stream(), chat("gem", stream=True), "openai_chat", 10 * 1_000 + TOLD * 10_000),
}


@pytest.mark.promise(12, fault="a later event of a stream tells less than an earlier one", limit="nothing given back")
@pytest.mark.parametrize("dialect", CASES)
def test_what_was_told_is_not_taken_back(tmp_path: Path, figure: Figure, dialect: str) -> None:
    reply, body, surface, bill = CASES[dialect]
    config = CONFIG.replace("models:", GOOGLE).replace("routes:", GEM)
    with gateway(tmp_path, config=config, more=strict("1")) as world:
        world.upstream.at = {host: [reply] for host in ("one.test", "claude.test", "g.test")}
        answer = world.ask(body, surface=surface, key=CI)
        assert answer.status == 200
        (row,) = world.rows
        figure("given back", bill - (row.cost_nanousd or 0), "nanousd")
        assert (row.cost_nanousd, row.usage_flags) == (bill, ("shrunk",))
        assert world.budget("key:ci").settled_nanousd == bill
