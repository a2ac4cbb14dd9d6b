"""Streams are relayed byte by byte: however they are cut and framed, the same text arrives, and it ends once."""

import random
from pathlib import Path

import pytest
from tests.promises.conftest import Figure
from tests.promises.dialects import CLIENTS, PAIRS, PROVIDERS, ask, config, ends_of, events, provider_bytes, text_of
from tests.promises.steady import gateway

from bascule.gateway.surfaces import Surface
from bascule.testing.script import Fault, Script
from bascule.testing.transport import stream

ALONE = config("retry: {max_attempts: 1}\nbreaker: {enabled: false}\n")
TEXT = 'naïve 😀 🇩🇪 e\u0301 汉字 \u2028next\u2029 \u200dzero \ufeffmark \x7f \\n "quoted" data: [DONE] tab\tend'
SCRIPT = Script(text=TEXT, response_id="answer-1")


def in_pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.promise(16, fault="a stream in pieces of 1, 2, 3, 7, … bytes, odd Unicode", limit="same bytes, one end")
@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_however_it_is_cut_into_pieces(
    tmp_path: Path, figure: Figure, full: bool, client: Surface, provider: str
) -> None:
    pieces = provider_bytes(provider, SCRIPT)
    data = b"".join(pieces)
    dice = random.Random(16)
    sizes = [1, 2, 3, 7, 64, len(data), *(dice.sample(range(4, 2_000), 60) if full else [])]
    with gateway(tmp_path, config=ALONE) as world:
        bodies = set()
        for size in sizes:
            world.upstream.replies = [stream(*in_pieces(data, size))]
            answer = world.ask(**ask(client, f"first-{provider}-model"))
            assert answer.status == 200
            assert text_of(client, answer) == TEXT
            assert ends_of(client, answer) == 1
            bodies.add(unstamped(answer.body, answer.header("x-bascule-request-id")))
        figure("different texts", len(bodies) - 1)
        assert len(bodies) == 1


def unstamped(body: bytes, request_id: str | None) -> bytes:
    """Without what names this request."""
    assert request_id is not None
    return body.replace(request_id[4:].encode(), b"ID")


FRAMES: tuple[Fault, ...] = ("crlf", "comments", "done_twice", "after_done", "split_bytes")


@pytest.mark.promise(16, fault="CRLF, comments, [DONE] twice, more after it", limit="same text, nothing after the end")
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("frame", FRAMES)
def test_however_it_is_framed(tmp_path: Path, figure: Figure, client: Surface, frame: Fault) -> None:
    wrong = []
    with gateway(tmp_path, config=ALONE) as world:
        for provider in PROVIDERS:
            if frame == "after_done" and provider == "gemini":
                continue  # its streams have no event that ends them: what still comes is part of them
            data = b"".join(provider_bytes(provider, Script(text=TEXT, response_id="answer-1", fault=frame)))
            for size in (len(data), 1):
                world.upstream.replies = [stream(*in_pieces(data, size))]
                answer = world.ask(**ask(client, f"first-{provider}-model"))
                if text_of(client, answer) != TEXT or ends_of(client, answer) != 1 or not is_last(client, answer):
                    wrong.append((provider, size, answer.body[-400:]))
    figure("wrong", len(wrong))
    assert wrong == []


def is_last(client: Surface, answer: object) -> bool:
    """Nothing follows the end; in Gemini's streams that is the event with the finish reason, or usage behind it."""
    seen = events(answer)
    if client == "openai_chat":
        return bool(seen[-1] == "[DONE]")
    if client == "gemini":
        return not seen[-1].get("candidates") or bool(seen[-1]["candidates"][0].get("finishReason"))
    return seen[-1].get("type") in ("message_stop", "response.completed")


@pytest.mark.promise(16, fault="one event of 900 KB", limit="same text")
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_long_line(tmp_path: Path, figure: Figure, provider: str) -> None:
    text = "ü" * 300_000 if provider != "openai_responses" else "ü" * 100_000
    pieces = provider_bytes(provider, Script(text=text, response_id="answer-1"))
    (client,) = [one for one in CLIENTS if one == provider]
    with gateway(tmp_path, config=ALONE) as world:
        world.upstream.replies = [stream(*in_pieces(b"".join(pieces), 65_537))]
        answer = world.ask(**ask(client, f"first-{provider}-model"))
    figure("longest line", max(map(len, pieces)), "bytes")
    assert text_of(client, answer) == text
    assert ends_of(client, answer) == 1
