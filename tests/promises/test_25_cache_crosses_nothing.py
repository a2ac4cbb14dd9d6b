"""Nothing of the exact cache crosses tenants, policies, models, prompts or parameters; only whole answers are in it.

The upstream answers each call with a text of its own, so that an answer from another request is never mistaken.
"""

import json
import random
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from tests.playbooks.engine.conftest import CI, CONFIG, ENVIRONMENT, OTHER, Playbook
from tests.playbooks.engine.wire import DONE, ROLE, STOP, chunk, completion, openai_error, text, used
from tests.promises.conftest import Figure

from bascule.decide import fingerprint
from bascule.ports import UpstreamCall
from bascule.testing.transport import Break, Reply, stream, whole

SEED = 25
LIMIT = "0 hits across"
TIGHTER = CONFIG.replace("org: acme,", "org: acme, max_output_tokens: 500,")
SYSTEM = ("Answer.", "Answer!", "Do not answer.", "")
PROMPT = ("enable 2FA", "disable 2FA", "Enable 2FA", "enable  2FA", "enable 2FA\u200b")

Begin = Callable[[str], Playbook]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    worlds: list[Playbook] = []

    def make(config: str = CONFIG) -> Playbook:
        folder = tmp_path / f"world-{len(worlds)}"
        folder.mkdir()
        world = Playbook(config, [], folder, environment=ENVIRONMENT)
        world.upstream.answer = numbered(world)
        worlds.append(world)
        return world

    yield make
    for world in worlds:
        world.close()


def numbered(world: Playbook) -> Callable[[UpstreamCall], Reply]:
    """Every call is answered by its own number."""

    def answer(call: UpstreamCall) -> Reply:
        said = f"answer {len(world.upstream.calls)}"
        if json.loads(call.body).get("stream"):
            return stream(ROLE, text(said), STOP, used(), DONE)
        return whole(completion(said))

    return answer


def asked(**more: Any) -> dict[str, Any]:
    """A cacheable request."""
    body = {"model": "small", "temperature": 0, "max_tokens": 100, **more}
    system, prompt = body.pop("system", SYSTEM[0]), body.pop("prompt", PROMPT[0])
    messages = [{"role": "system", "content": system}] if system else []
    return {**body, "messages": [*messages, {"role": "user", "content": prompt}]}


def space(size: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Requests that differ pairwise: (body, how it is sent)."""
    dice = random.Random(SEED)
    bodies: list[dict[str, Any]] = [asked(system=system, prompt=prompt) for system in SYSTEM for prompt in PROMPT]
    bodies += [asked(model=model) for model in ("big", "own")]
    bodies += [asked(**more) for more in PARAMETERS]
    sent = [(body, {"key": key}) for body in bodies for key in (CI, OTHER)]
    dice.shuffle(sent)
    return sent[:size] if size else sent


PARAMETERS: list[dict[str, Any]] = [
    {"max_tokens": 101},
    {"seed": 1},
    {"seed": 2},
    {"top_p": 0.5},
    {"top_p": 0.25},
    {"stop": ["x"]},
    {"stop": ["y"]},
    {"stream": True},
    {"frequency_penalty": 1},
    {"presence_penalty": 1},
    {"logprobs": True},
    {"response_format": {"type": "json_object"}},
    {"reasoning_effort": "low"},
    {"reasoning_effort": "high"},
    {"temperature": 0, "verbosity": "low"},
]


def misses(world: Playbook, sent: list[tuple[dict[str, Any], dict[str, Any]]]) -> int:
    """Send all twice: how many first ones came from the cache. Every second one must, with the very same words."""
    crossed = 0
    first: list[str] = []
    for body, how in sent:
        answer = world.ask(body, **how)
        assert answer.status == 200, answer.body
        assert answer.header("cache-control") == "private, no-store"
        crossed += answer.header("x-bascule-cache") != "none"
        first.append(said(answer))
    assert crossed or len(set(first)) == len(first)
    for (body, how), words in zip(sent, first, strict=True):
        again = world.ask(body, **how)
        assert crossed or (again.header("x-bascule-cache"), said(again)) == ("exact", words)
        assert again.header("cache-control") == "private, no-store"
    return crossed


def said(answer: Any) -> str:
    """The words of an answer, streamed or whole."""
    if answer.header("content-type").startswith("text/event-stream"):
        choices = [choice for event in answer.data if isinstance(event, dict) for choice in event["choices"]]
        return "".join(choice["delta"].get("content") or "" for choice in choices)
    return str(answer.json["choices"][0]["message"]["content"])


@pytest.mark.promise(25, fault="two keys, two policies, near prompts, models, system prompts, parameters", limit=LIMIT)
def test_nothing_crosses(begin: Begin, figure: Figure) -> None:
    sent = space(0)
    for (one, how), (other, elsewhere) in combinations(sent, 2):
        assert (one, how) != (other, elsewhere), "the requests must differ pairwise"
    world = begin(CONFIG)
    crossed = misses(world, sent)
    figure("requests", len(sent))
    figure("hits across", crossed)
    assert crossed == 0


@pytest.mark.promise(25, fault="the same key under another policy, by a reload", limit=LIMIT)
def test_another_policy_of_the_key_starts_anew(begin: Begin, figure: Figure) -> None:
    world = begin(CONFIG)
    world.ask(asked())
    assert world.ask(asked()).header("x-bascule-cache") == "exact"
    changed = begin(TIGHTER).keys.lookup(CI.encode())
    assert changed is not None
    assert changed != world.keys.lookup(CI.encode())
    world.keys.configure([(CI.encode(), changed)])
    answer = world.ask(asked())
    figure("hits across policies", int(answer.header("x-bascule-cache") != "none"))
    assert answer.header("x-bascule-cache") == "none"


@pytest.mark.promise(25, fault="betas and the route that an answer takes to its client", limit=LIMIT)
def test_headers_that_change_answers_are_part_of_the_request(begin: Begin, figure: Figure) -> None:
    world = begin(CONFIG)
    body = {"model": "small", "temperature": 0, "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]}
    ways: list[dict[str, Any]] = [
        {"surface": "openai_chat"},
        {"surface": "anthropic_messages"},
        {"surface": "anthropic_messages", "headers": {"anthropic-beta": "context-1m"}},
        {"surface": "openai_responses"},
    ]
    hits = 0
    for way in ways:
        sent = {**body, "input": "hi"} if way["surface"] == "openai_responses" else body
        if "input" in sent:
            sent = {"model": "small", "temperature": 0, "max_output_tokens": 100, "input": "hi"}
        answer = world.ask(sent, **way)
        assert answer.status == 200, answer.body
        hits += answer.header("x-bascule-cache") != "none"
    figure("hits across surfaces", hits)
    assert hits == 0


@pytest.mark.promise(25, fault="every digest collides with every other", limit=LIMIT)
def test_collisions_of_digests_are_no_hits(begin: Begin, figure: Figure, monkeypatch: pytest.MonkeyPatch) -> None:
    class Colliding:
        def __init__(self, data: bytes, digest_size: int) -> None:
            self._size = digest_size

        def digest(self) -> bytes:
            return bytes(self._size)

    monkeypatch.setattr(fingerprint, "blake2b", Colliding)
    world = begin(CONFIG)
    hits = 0
    for body, how in space(0):
        hits += world.ask(body, **how).header("x-bascule-cache") != "none"
    last, how = space(0)[-1]
    assert world.ask(last, **how).header("x-bascule-cache") == "exact"  # the digest does collide, and the cache works
    figure("hits by collision", hits)
    assert hits == 0


UNFIT: dict[str, Reply] = {
    "an error": openai_error(400, "no"),
    "an overload": openai_error(529, "later"),
    "a cut body": Reply(parts=[b'{"id": "x", "choi', Break()]),
    "not JSON": whole(b"<html>"),
    "cut for length": whole(
        completion(choices=[{"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "length"}])
    ),
    "filtered": whole(
        completion(
            choices=[{"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "content_filter"}]
        )
    ),
}
UNFIT_STREAMS: dict[str, Reply] = {
    "a cut stream": stream(ROLE, text("hel"), Break()),
    "a clean end without a last word": stream(ROLE, text("hel")),
    "an error event in the middle": stream(
        ROLE, text("hel"), b'data: {"error": {"message": "boom", "type": "server_error"}}\n\n'
    ),
    "a tool call": stream(
        ROLE,
        chunk(
            {"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}
        ),
        chunk({}, "tool_calls"),
        used(),
        DONE,
    ),
    "a tool call that says that it stopped": stream(
        ROLE,
        chunk(
            {"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}
        ),
        STOP,
        used(),
        DONE,
    ),
    "an empty stream": stream(),
}


@pytest.mark.promise(25, fault="errors, partial streams, tool calls, then the same request", limit="0 kept")
def test_what_is_no_whole_answer_is_not_kept(begin: Begin, figure: Figure) -> None:
    kept = []
    for streams, replies in ((False, UNFIT), (True, UNFIT_STREAMS)):
        for name, reply in replies.items():
            world = begin(CONFIG + "retry: {max_attempts: 1}")
            live, world.upstream.answer = world.upstream.answer, None
            world.upstream.replies = [reply]
            body = asked(stream=streams, prompt=name)
            first = world.ask(body)
            assert first.header("cache-control") == "private, no-store"
            world.upstream.answer = live
            again = world.ask(body)
            assert again.status == 200
            if again.header("x-bascule-cache") != "none":
                kept.append(name)
            world.close()
    figure("kinds of unfit answers", len(UNFIT) + len(UNFIT_STREAMS))
    figure("kept", len(kept))
    assert kept == []
