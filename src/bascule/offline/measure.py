"""Tokens per second of an OpenAI-compatible endpoint, measured by a bounded load over a port."""

import asyncio
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import orjson
from msgspec import Struct

from bascule.model.errors import BasculeError
from bascule.ports import Header, Timeouts, TransportError, Upstream, UpstreamCall

MOST_ANSWER_BYTES = 4 * 1024 * 1024
WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


class Load(Struct, frozen=True, kw_only=True):
    """What is sent: at most `requests` + 1 answers of `max_tokens`, never more than `concurrency` at a time."""

    origin: str
    target: str
    """Path of chat completions."""
    model: str
    headers: tuple[Header, ...] = ()
    requests: int = 32
    concurrency: int = 8
    prompt_words: int = 200
    max_tokens: int = 128
    timeout_s: float = 120.0


class Measured(Struct, frozen=True, kw_only=True):
    requests: int
    seconds: Fraction
    tokens_in: int
    tokens_out: int

    @property
    def tokens_per_second(self) -> Fraction:
        """Of input and output together, over all requests in flight."""
        return (self.tokens_in + self.tokens_out) / self.seconds

    @property
    def output_tokens_per_second(self) -> Fraction:
        return self.tokens_out / self.seconds

    @property
    def output_share(self) -> Fraction:
        return Fraction(self.tokens_out, self.tokens_in + self.tokens_out)


async def measure(upstream: Upstream, load: Load, now_ns: Callable[[], int]) -> Measured:
    """One request to warm up, then the load, timed from its first request to its last answer.

    Raises BasculeError at the first answer that is not a completion with usage.
    """
    await _ask(upstream, load, 0)
    numbers = iter(range(1, load.requests + 1))

    async def work() -> list[tuple[int, int]]:
        return [await _ask(upstream, load, number) for number in numbers]

    started = now_ns()
    workers = [asyncio.ensure_future(work()) for _ in range(min(load.concurrency, load.requests))]
    try:
        counts = [count for done in await asyncio.gather(*workers) for count in done]
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    found = Measured(
        requests=load.requests,
        seconds=Fraction(max(1, now_ns() - started), 1_000_000_000),
        tokens_in=sum([one[0] for one in counts]),
        tokens_out=sum([one[1] for one in counts]),
    )
    if not found.tokens_in + found.tokens_out:
        raise BasculeError("the endpoint reports no tokens at all in its usage, so that nothing can be measured")
    return found


async def _ask(upstream: Upstream, load: Load, number: int) -> tuple[int, int]:
    """(input, output) tokens of one answer. Each prompt begins differently, so that no cache of prefixes helps."""
    words = [str(number), *[WORDS[(number + index) % len(WORDS)] for index in range(load.prompt_words)]]
    body = {
        "model": load.model,
        "messages": [
            {"role": "user", "content": f"{' '.join(words)}\nContinue this list of words for as long as you can."}
        ],
        "max_tokens": load.max_tokens,
    }
    call = UpstreamCall(
        origin=load.origin,
        method="POST",
        target=load.target,
        headers=((b"content-type", b"application/json"), *load.headers),
        body=orjson.dumps(body),
        timeouts=Timeouts(first_byte_s=load.timeout_s, total_s=load.timeout_s),
        max_body_bytes=MOST_ANSWER_BYTES,
    )
    try:
        reply = await upstream.send(call)
        try:
            raw = await reply.read()
        finally:
            reply.close()
    except TransportError as error:
        raise BasculeError(f"{load.origin} broke off: {error}") from error
    if reply.status != 200:
        raise BasculeError(f"{load.origin}{load.target} answered {reply.status}: {_excerpt(raw)}")
    return _usage(raw, load)


def _usage(raw: bytes, load: Load) -> tuple[int, int]:
    try:
        document: Any = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BasculeError(f"{load.origin}{load.target} did not answer in JSON: {_excerpt(raw)}") from error
    usage = document.get("usage") if isinstance(document, dict) else None
    tokens_in, tokens_out = [
        usage.get(name) if isinstance(usage, dict) else None for name in ("prompt_tokens", "completion_tokens")
    ]
    if type(tokens_in) is not int or type(tokens_out) is not int or tokens_in < 0 or tokens_out < 0:
        raise BasculeError(
            f"{load.origin}{load.target} reports no usage, so its tokens are unknown; give --tokens-per-second instead"
        )
    return tokens_in, tokens_out


def _excerpt(raw: bytes) -> str:
    return raw[:200].decode("utf-8", errors="replace")
