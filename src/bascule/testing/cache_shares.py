"""What share of a session's input a provider's simulated cache serves, through the real engine: natively, translated
to Anthropic, translated to providers that cache prefixes.

The figures are the ledger's own: billed input tokens read from the cache over all of them.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from msgspec import Struct

from bascule.gateway.surfaces import Surface
from bascule.ports import Clock
from bascule.testing.agent_session import HELPER_MODEL, MAIN_MODEL, AgentRequest
from bascule.testing.anthropic_cache import AnthropicCache
from bascule.testing.cache_use import ProviderCache, cached
from bascule.testing.chat_shape import chat_body
from bascule.testing.prefix_cache import deepseek_cache, openai_cache
from bascule.testing.provider import scripted_provider
from bascule.testing.script import Dialect, Script
from bascule.testing.seller_cache import SellerCache
from bascule.testing.world import World

_ANTHROPIC = "{preset: anthropic, base_url: 'https://claude.test', api_key: none}"
_OPENAI = "{preset: openai, base_url: 'https://gpt.test/v1', api_key: none}"
_DEEPSEEK = "{preset: deepseek, base_url: 'https://deep.test', api_key: none}"
_OPENROUTER = "{preset: openrouter, base_url: 'https://router.test/v1', api_key: none, stream_usage: stream_options}"
"""The scripted upstream tells usage only where it is asked, which OpenRouter need not be."""
_CONFIG = """
data_dir: data
providers: {{up: {provider}}}
models:
  {main}: {{endpoints: [{{provider: up, model: "{maker}{main}"}}], price: {price}}}
  {helper}: {{endpoints: [{{provider: up, model: "{maker}{helper}"}}], price: {price}}}
cache: {{prompt: {{inject: {inject}}}}}
"""
_ANTHROPIC_PRICE = "{input: 5, output: 25, cache_read: 0.5}"
_OPENAI_PRICE = "{input: 5, output: 25, cache_read: 0.5}"
_OPENROUTER_PRICE = "{input: 5, output: 25, cache_read: 0.5, cache_write: 6.25}"


class Way(Struct, frozen=True, kw_only=True):
    """How a session goes: which client speaks to which provider."""

    name: str
    provider: str
    price: str
    speaks: Dialect
    cache: Callable[[Clock], ProviderCache]
    client: Literal["anthropic", "openai"] = "anthropic"
    inject: str = "auto"
    maker: str = ""
    """What stands before the provider's names of models."""


class Shares(Struct, frozen=True, kw_only=True):
    """What came of a session."""

    name: str
    requests: int
    input_tokens: int
    cached_tokens: int
    written_tokens: int
    largest_tokens: int
    """Input of the largest request."""
    cost_nanousd: int

    @property
    def share(self) -> float:
        """Cached input over all input."""
        return self.cached_tokens / self.input_tokens


NATIVE = Way(
    name="Messages client, Anthropic (native)",
    provider=_ANTHROPIC, price=_ANTHROPIC_PRICE, speaks="anthropic", cache=AnthropicCache,
)  # fmt: skip
TO_ANTHROPIC = Way(
    name="Chat client, Anthropic",
    provider=_ANTHROPIC, price=_ANTHROPIC_PRICE, speaks="anthropic", cache=AnthropicCache, client="openai",
)  # fmt: skip
TO_ANTHROPIC_UNMARKED = Way(
    name="Chat client, Anthropic, inject: off",
    provider=_ANTHROPIC, price=_ANTHROPIC_PRICE, speaks="anthropic", cache=AnthropicCache, client="openai",
    inject="off",
)  # fmt: skip
TO_OPENAI = Way(
    name="Messages client, OpenAI",
    provider=_OPENAI, price=_OPENAI_PRICE, speaks="openai", cache=openai_cache,
)  # fmt: skip
TO_DEEPSEEK = Way(
    name="Messages client, DeepSeek",
    provider=_DEEPSEEK, price=_OPENAI_PRICE, speaks="openai", cache=deepseek_cache,
)  # fmt: skip
TO_OPENROUTER = Way(
    name="Messages client, Anthropic by OpenRouter",
    provider=_OPENROUTER, price=_OPENROUTER_PRICE, speaks="openai", cache=SellerCache, maker="anthropic/",
)  # fmt: skip


def run(way: Way, session: Iterable[AgentRequest], directory: Path) -> Shares:
    """The session, request by request, through a gateway whose data are below `directory`.

    Raises AssertionError where a request is not answered.
    """
    config = _CONFIG.format(
        provider=way.provider, main=MAIN_MODEL, helper=HELPER_MODEL, price=way.price, inject=way.inject, maker=way.maker
    )
    directory.mkdir(parents=True, exist_ok=True)
    world = World(config, [], directory)
    try:
        world.upstream.answer = scripted_provider(
            way.speaks, cached(way.cache(world.clock), Script(output_tokens=4, thinking=""))
        )
        surface: Surface = "anthropic_messages" if way.client == "anthropic" else "openai_chat"
        for request in session:
            world.clock.advance(request.pause_s)
            body = request.body if way.client == "anthropic" else chat_body(request.body)
            answer = world.ask(body, surface=surface, headers=request.headers)
            assert answer.status == 200, answer.body
        return _shares(way, world)
    finally:
        world.close()


def _shares(way: Way, world: World) -> Shares:
    rows = world.rows
    read = sum(row.tokens_cache_read or 0 for row in rows)
    written = sum((row.tokens_cache_write_5m or 0) + (row.tokens_cache_write_1h or 0) for row in rows)
    inputs = [(row.tokens_in or 0) + (row.tokens_cache_read or 0) + (row.tokens_cache_write_5m or 0)
              + (row.tokens_cache_write_1h or 0) for row in rows]  # fmt: skip
    return Shares(
        name=way.name,
        requests=len(rows),
        input_tokens=sum(inputs),
        cached_tokens=read,
        written_tokens=written,
        largest_tokens=max(inputs),
        cost_nanousd=sum(row.cost_nanousd or 0 for row in rows),
    )
