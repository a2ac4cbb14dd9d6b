"""Prompt caches that need no marks, simulated as documented: whatever the prompts of two requests begin with in common.

OpenAI (developers.openai.com/api/docs/guides/prompt-caching, read in November 2026): for prompts of 1,024 tokens or
more, in steps of 128 tokens; tools and messages must be identical from the first byte on. Requests are routed by a
hash of how the prompt begins (some 256 tokens) together with `prompt_cache_key`, and each machine knows only what it
has served. An entry goes after 5 to 10 minutes of not being used; writing costs nothing.

DeepSeek (api-docs.deepseek.com/guides/kv_cache, read in November 2026): in units of 64 tokens, without routing; kept
for hours. It may find less than the common prefix, since it keeps whole units of its own choosing: not simulated.
"""

import json
from hashlib import sha256
from typing import Any

from bascule.ports import Clock
from bascule.testing.cache_use import CacheUse

BYTES_PER_TOKEN = 4
ROUTING_TOKENS = 256


class PrefixCache:
    """What a provider has cached of the beginnings of prompts. `use` is one request."""

    def __init__(
        self, clock: Clock, *, block_tokens: int, least_tokens: int, lifetime_s: float, routed: bool = False
    ) -> None:
        self._clock = clock
        self._block_bytes = block_tokens * BYTES_PER_TOKEN
        self._least_tokens = least_tokens
        self._lifetime_s = lifetime_s
        self._routed = routed
        self._until_s: dict[tuple[str, bytes], float] = {}
        """By machine and digest of a prefix."""

    def use(self, body: dict[str, Any]) -> CacheUse:
        """Read what is known of this prompt's beginning, and know all of it from now on."""
        prompt = rendered_prompt(body)
        total = len(prompt) // BYTES_PER_TOKEN
        if total < self._least_tokens:
            return CacheUse(total=total)
        now_s = self._clock.monotonic_s()
        self._until_s = {key: until_s for key, until_s in self._until_s.items() if until_s >= now_s}
        machine = self._machine(body, prompt)
        chain = sha256(str(body.get("model")).encode())
        read, finding = 0, True
        for start in range(0, len(prompt) - self._block_bytes + 1, self._block_bytes):
            end = start + self._block_bytes
            chain.update(prompt[start:end])
            key = (machine, chain.digest())
            finding = finding and key in self._until_s
            if finding:
                read = end // BYTES_PER_TOKEN
            self._until_s[key] = now_s + self._lifetime_s
        return CacheUse(total=total, read=read if read >= self._least_tokens else 0)

    def _machine(self, body: dict[str, Any], prompt: bytes) -> str:
        if not self._routed:
            return ""
        begins = prompt[: ROUTING_TOKENS * BYTES_PER_TOKEN]
        return sha256(begins + str(body.get("prompt_cache_key")).encode()).hexdigest()


def openai_cache(clock: Clock, lifetime_s: float = 300.0) -> PrefixCache:
    """OpenAI's, with the shorter of the documented lifetimes."""
    return PrefixCache(clock, block_tokens=128, least_tokens=1_024, lifetime_s=lifetime_s, routed=True)


def deepseek_cache(clock: Clock, lifetime_s: float = 3_600.0) -> PrefixCache:
    """DeepSeek's."""
    return PrefixCache(clock, block_tokens=64, least_tokens=64, lifetime_s=lifetime_s)


def rendered_prompt(body: dict[str, Any]) -> bytes:
    """What the model reads of a Chat Completions or Responses body: tools, then what is said, in the body's order."""
    said = [body.get("tools"), body.get("instructions"), body.get("messages") or body.get("input")]
    pieces = [json.dumps(part, ensure_ascii=False, separators=(",", ":")) for part in said if part]
    return "\n".join(pieces).encode("utf-8", "surrogatepass")
