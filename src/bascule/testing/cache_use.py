"""What a simulated provider cache did for one request, and scripts whose usage is what the cache says."""

from collections.abc import Callable
from typing import Any, Protocol

from msgspec import Struct, structs

from bascule.testing.script import Choice, Chooser, ProviderRequest, Script, chooser


class CacheUse(Struct, frozen=True, kw_only=True):
    """Tokens of one prompt."""

    total: int
    """All of it: read, written and plain."""
    read: int = 0
    written_5m: int = 0
    written_1h: int = 0


class RefusedUse(Struct, frozen=True):
    """The provider answers 400 with this message."""

    message: str


class ProviderCache(Protocol):
    """A simulated cache."""

    def use(self, body: dict[str, Any]) -> CacheUse | RefusedUse: ...


Tell = Callable[[ProviderRequest, CacheUse], None]


def nobody(request: ProviderRequest, use: CacheUse) -> None:
    """Told of nothing."""


def cached(cache: ProviderCache, script: Choice | None = None, tell: Tell = nobody) -> Chooser:
    """Scripts as `script` chooses them, with the input tokens that `cache` makes of each request; `tell` is told."""
    choose = chooser(Script() if script is None else script)

    def answer(request: ProviderRequest) -> Script:
        use = cache.use(request.body)
        if isinstance(use, RefusedUse):
            return Script(status=400, error_message=use.message)
        tell(request, use)
        return structs.replace(
            choose(request),
            input_tokens=use.total,
            cached_tokens=use.read,
            cache_write_5m_tokens=use.written_5m,
            cache_write_1h_tokens=use.written_1h,
        )

    return answer
