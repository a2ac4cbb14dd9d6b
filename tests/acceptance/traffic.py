"""Seeded traffic: mixed requests, clients that leave, and what the provider does to each attempt."""

import asyncio
import random
import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace
from tests.acceptance.reconcile import MARK
from tests.acceptance.wire import Leave, Seen, post

from bascule.testing.script import Fault, ProviderRequest, Script, UsageFault

SYLLABLES = ("ba", "do", "ki", "lo", "mu", "ne", "po", "ra", "si", "tu", "ve", "zo")
MODELS = ("oai", "ant", "oai-cut", "ant-cut", "either")
STATUSES = (429, 500, 503, 529)
TRANSPORT: tuple[Fault, ...] = (
    "reset_before",
    "close_before",
    "reset_mid",
    "close_mid",
    "hang_mid",
    "short_body",
    "truncated_json",
    "empty_body",
)
EVENTS: tuple[Fault, ...] = (
    "error_first",
    "error_mid",
    "clean_eof",
    "truncated_event",
    "empty_stream",
    "crlf",
    "comments",
    "split_bytes",
    "after_done",
    "done_twice",
)
USAGE: tuple[UsageFault, ...] = (
    "none",
    "odd_chunk",
    "after_done",
    "cumulative",
    "zero",
    "negative",
    "strings",
    "huge",
    "null",
)


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One client request and its provider's behaviour, attempt after attempt; the last script stands for the rest."""

    number: int
    path: str
    body: dict[str, Any]
    leave: Leave | None
    scripts: tuple[Script, ...]


def words(dice: random.Random, count: int) -> str:
    """Made-up words of about four and a half bytes with their blank, as English tokens are."""
    return " ".join("".join(dice.choices(SYLLABLES, k=dice.choice((1, 2, 2)))) for _ in range(count))


def plan(number: int, dice: random.Random, *, sound: bool) -> Planned:
    """`sound`: no fault, and a client that waits."""
    path, model = dice.choice(("/v1/chat/completions", "/v1/messages")), dice.choice(MODELS)
    stream = dice.random() < 0.6
    body: dict[str, Any] = {"model": model, "stream": stream, "messages": _messages(number, dice)}
    if path == "/v1/messages" or dice.random() < 0.5:
        body["max_tokens"] = dice.choice((150, 400, 1000))
    if path == "/v1/chat/completions" and stream and dice.random() < 0.5:
        body["stream_options"] = {"include_usage": True}
    leave = None if sound or dice.random() > 0.6 else _leave(dice)
    attempts = 1 if sound or dice.random() > 0.45 else dice.choice((1, 1, 2, 3))
    scripts = [_script(dice, stream, faulty=not sound) for _ in range(attempts)]
    if dice.random() < 0.7:
        scripts.append(_script(dice, stream, faulty=False))
    if model.endswith("-cut"):
        # In a burst, the whole answer would be on its way before anybody could cut it off.
        scripts = [replace(script, gap_s=max(script.gap_s, 0.004)) for script in scripts]
    return Planned(number=number, path=path, body=body, leave=leave, scripts=tuple(scripts))


def _messages(number: int, dice: random.Random) -> list[dict[str, Any]]:
    turns = [{"role": "user", "content": words(dice, dice.randint(500, 2500))}]
    if dice.random() < 0.4:
        turns.append({"role": "assistant", "content": words(dice, 60)})
        turns.append({"role": "user", "content": "And then?"})
    turns[-1]["content"] += f" [#{number}]"
    return turns


def _leave(dice: random.Random) -> Leave:
    if dice.random() < 0.4:
        return Leave(after_s=dice.uniform(0.0, 0.15), reset=dice.random() < 0.5)
    return Leave(after_bytes=dice.randint(1, 3000), reset=dice.random() < 0.5)


def _script(dice: random.Random, stream: bool, *, faulty: bool) -> Script:
    usual: dict[str, Any] = {
        "text": words(dice, dice.randint(40, 140)),
        "gap_s": dice.choice((0.0, 0.001, 0.004)),
        "ttft_s": dice.choice((0.0, 0.02, 0.1)),
        "cached_tokens": dice.choice((0, 0, 12)),
        "cache_write_5m_tokens": dice.choice((0, 0, 7)),
        "reasoning_tokens": dice.choice((0, 0, 0, 25)) if not faulty else 0,
        "fault_after": dice.randint(10, 35),
    }
    if not faulty:
        return Script(**usual)
    match dice.choice((0, 1, 2, 3) if stream else (0, 1, 3)):
        case 0:
            return Script(**usual, status=dice.choice(STATUSES), retry_after=dice.choice((None, "0", "1")))
        case 1:
            return Script(**usual, fault=dice.choice(TRANSPORT))
        case 2:
            return Script(**usual, fault=dice.choice(EVENTS))
        case _:
            return Script(**usual, usage_fault=dice.choice(USAGE))


class Provided:
    """Chooses each attempt's script by the number in its prompt."""

    def __init__(self, planned: list[Planned]) -> None:
        self._scripts = {str(one.number): one.scripts for one in planned}
        self._tries: dict[str, int] = defaultdict(int)

    def __call__(self, request: ProviderRequest) -> Script:
        last = request.body["messages"][-1]["content"]
        match = MARK.search(last if isinstance(last, str) else str(last))
        assert match is not None, last
        scripts = self._scripts[match.group(1)]
        tried = self._tries[match.group(1)]
        self._tries[match.group(1)] += 1
        return scripts[min(tried, len(scripts) - 1)]


async def drive(url: str, planned: list[Planned], *, over_s: float = 0.0) -> list[Seen]:
    """Send them all at once, or spread evenly over some seconds."""

    async def one(place: int, request: Planned) -> Seen:
        await asyncio.sleep(over_s * place / max(1, len(planned)))
        tags = {"x-bascule-tag": f"n={request.number}", "authorization": "Bearer any"}
        return await post(url, request.path, request.body, tags, leave=request.leave, timeout_s=90)

    return await asyncio.gather(*(one(place, request) for place, request in enumerate(planned)))


class Driving(threading.Thread):
    """`drive` beside a test that does something to the gateway meanwhile."""

    def __init__(self, url: str, planned: list[Planned], *, over_s: float) -> None:
        super().__init__(name="driving", daemon=True)
        self._arguments = (url, planned, over_s)
        self.seen: list[Seen] = []
        self.start()

    def run(self) -> None:
        url, planned, over_s = self._arguments
        self.seen = asyncio.run(drive(url, planned, over_s=over_s))


def visible_tokens(seen: Seen) -> int:
    """Tokens of a streamed answer that reached the client: the scripted provider sends each in a delta of its own."""
    return seen.body.count(b'"content":" ') + seen.body.count(b'"type":"text_delta","text":" ')


def looks_complete(seen: Seen) -> bool:
    """What a client would take for a whole answer."""
    if seen.status != 200:
        return False
    if seen.headers["content-type"].startswith("text/event-stream"):
        return _lines(seen).endswith((b"data: [DONE]\n\n", b'data: {"type":"message_stop"}\n\n'))
    return b'"error"' not in seen.body


def tells_an_error(seen: Seen) -> bool:
    """An error status, or an error event at the end of a stream."""
    body = _lines(seen)
    return seen.status != 200 or b'"error":' in body[body.rstrip().rfind(b"\n\n") :]


def _lines(seen: Seen) -> bytes:
    """The body with plain line ends: what a provider sends is passed on as it is."""
    return seen.body.replace(b"\r\n", b"\n")
