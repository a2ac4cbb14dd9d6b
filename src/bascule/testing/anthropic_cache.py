"""Anthropic's prompt cache, simulated as documented, to tell what a session costs with and without cache marks.

The rules are those of platform.claude.com/docs/en/build-with-claude/prompt-caching, as read in November 2026:

- The prompt is `tools`, `system`, `messages`, in this order. A block with `cache_control` is a breakpoint: one entry is
  written, a hash of all of the prompt up to it. At most 4 breakpoints; a top-level `cache_control` is one more of
  them, on the last block that can bear one.
- A request reads the longest entry that one of its breakpoints finds, looking back over at most 20 positions, itself
  the first. A run of `tool_use` blocks is one position, and so is one of `tool_result` blocks.
- From what is read to the last breakpoint is written, what comes after is plain input. Where lifetimes are mixed, the
  hour's breakpoints stand before those of 5 minutes, and what is up to the last of the hour's is written for an hour.
- An entry lives 5 minutes or an hour from the start of the request that wrote or read it.
- A prefix shorter than the model's minimum is not cached, and nobody says so.
- `speed` belongs to what system and messages hash to; `tool_choice`, thinking, `output_config` and whether there is an
  image anywhere, to the messages alone. Tools are part of everything.

Not simulated: entries of requests that run at the same time, isolation by workspace, thinking that old models drop.
"""

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from msgspec import Struct

from bascule.dialects.cache_marks import least_cacheable_tokens
from bascule.ports import Clock
from bascule.testing.cache_use import CacheUse, RefusedUse

MAX_BREAKPOINTS = 4
LOOK_BACK = 20
TTL_S = {"5m": 300.0, "1h": 3_600.0}
BYTES_PER_TOKEN = 4


class _Block(Struct):
    digest: bytes
    """Of the prompt up to and with this block."""
    position: int
    tokens_up_to: int
    ttl: str | None
    """Where it is a breakpoint."""


class _Entry(Struct):
    until_s: float
    ttl_s: float


class AnthropicCache:
    """What the API has cached. `use` is one request."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: dict[bytes, _Entry] = {}

    def use(self, body: dict[str, Any]) -> CacheUse | RefusedUse:
        """Read and write as this Messages body asks for; refused with the reason where the API answers 400."""
        blocks, total = _blocks(body)
        marked = [at for at, block in enumerate(blocks) if block.ttl is not None]
        if len(marked) > MAX_BREAKPOINTS:
            return RefusedUse(f"A maximum of {MAX_BREAKPOINTS} blocks with cache_control may be provided.")
        ttls = [blocks[at].ttl for at in marked]
        if any(ttl not in TTL_S for ttl in ttls):
            return RefusedUse("cache_control.ttl must be `5m` or `1h`")
        if "5m" in ttls and "1h" in ttls[ttls.index("5m") :]:
            return RefusedUse("a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block")
        now_s = self._clock.monotonic_s()
        self._entries = {digest: entry for digest, entry in self._entries.items() if entry.until_s >= now_s}
        read = max([self._found(blocks, at, now_s) for at in marked], default=0)
        least = least_cacheable_tokens(str(body.get("model")))
        written = {"5m": 0, "1h": 0}
        reached = read
        for at in sorted(marked, key=lambda at: blocks[at].ttl == "5m"):
            block = blocks[at]
            if block.tokens_up_to < least or block.ttl is None:
                continue
            self._write(block.digest, block.ttl, now_s)
            written[block.ttl] += max(0, block.tokens_up_to - reached)
            reached = max(reached, block.tokens_up_to)
        return CacheUse(total=total, read=read, written_5m=written["5m"], written_1h=written["1h"])

    def _found(self, blocks: list[_Block], mark: int, now_s: float) -> int:
        """Tokens of the longest entry that a breakpoint finds; it lives on."""
        first = blocks[mark].position - LOOK_BACK + 1
        for at in range(mark, -1, -1):
            block = blocks[at]
            if block.position < first:
                break
            entry = self._entries.get(block.digest)
            if entry is not None:
                entry.until_s = now_s + entry.ttl_s
                return block.tokens_up_to
        return 0

    def _write(self, digest: bytes, ttl: str, now_s: float) -> None:
        entry = self._entries.get(digest)
        if entry is None or entry.ttl_s < TTL_S[ttl]:
            self._entries[digest] = _Entry(until_s=now_s + TTL_S[ttl], ttl_s=TTL_S[ttl])


def _blocks(body: dict[str, Any]) -> tuple[list[_Block], int]:
    """The prompt's blocks in order, and the tokens of all of it."""
    blocks: list[_Block] = []
    chain = sha256(str(body.get("model")).encode())
    position, run, size = -1, "", 0
    seeds = {"system": body.get("speed"), "messages": _message_seed(body)}
    seen = ""
    for section, kind, content, mark in _parts(body):
        if section != seen:
            seen, run = section, ""
            chain.update(json.dumps([section, seeds.get(section)]).encode())
        if kind != run or kind not in ("tool_use", "tool_result"):
            position += 1
        run = kind
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        chain.update(text)
        size += len(text)
        ttl = None if mark is None else mark.get("ttl", "5m")
        blocks.append(_Block(chain.digest(), position, size // BYTES_PER_TOKEN, ttl))
    last = next((block for block in reversed(blocks)), None)
    automatic = body.get("cache_control")
    if automatic is not None and last is not None and last.ttl is None:
        last.ttl = automatic.get("ttl", "5m")
    return blocks, size // BYTES_PER_TOKEN


def _message_seed(body: dict[str, Any]) -> list[Any]:
    has_image = '"type": "image"' in json.dumps(body.get("messages"))
    return [body.get("tool_choice"), body.get("thinking"), body.get("output_config"), has_image]


def _parts(body: dict[str, Any]) -> Iterator[tuple[str, str, Any, dict[str, Any] | None]]:
    """(section, type, content without its mark, mark) of every block. Text is the same alone and as one block."""
    for tool in body.get("tools") or ():
        yield "tools", "tool", _unmarked(tool), tool.get("cache_control")
    for block in _as_blocks(body.get("system") or ()):
        yield "system", block["type"], _unmarked(block), block.get("cache_control")
    for message in body["messages"]:
        for block in _as_blocks(message["content"]):
            yield "messages", block["type"], [message["role"], _unmarked(block)], block.get("cache_control")


def _as_blocks(content: Any) -> Any:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _unmarked(block: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in block.items() if key != "cache_control"}
