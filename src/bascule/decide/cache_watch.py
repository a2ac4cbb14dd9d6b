"""Whether a session's prompt cache has silently stopped. Pure.

A session that was served from its provider's cache and then, request after request, is not, costs up to ten times as
much, and nothing fails. What explains a prompt that was not cached is told apart from what does not: a new session, a
pause longer than the cache lives, another model or provider. Only what is left, several times in a row, is a collapse.
"""

from typing import Literal

from msgspec import Struct, structs

Verdict = Literal["warm", "partly", "small", "first", "pause", "moved", "cold", "collapsed"]
"""`warm`: read from the cache as usual. `partly`: neither that nor cold. `small`: not looked at. Explained: the `first`
request that is watched, after a `pause`, `moved` to another endpoint. `cold`: not read, and nothing explains it;
`collapsed`: for so many times in a row that it is to be told, once."""


class CollapsePolicy(Struct, frozen=True, kw_only=True):
    """What counts as a collapse."""

    high_share: float = 0.5
    """Of its input that a warm request reads from the cache, or more."""
    low_share: float = 0.05
    """That a cold one reads, or less."""
    warm_requests: int = 5
    """Warm ones before which nothing can collapse."""
    cold_requests: int = 3
    """Cold ones in a row that are a collapse."""
    least_tokens: int = 8_000
    """Of input; a request with less is not looked at."""
    lifetime_s: float = 300.0
    """After a longer pause a cold request is no surprise."""


class PromptUse(Struct, frozen=True, kw_only=True):
    """One answered request of a session."""

    endpoint: str
    started_ms: int
    input_tokens: int
    """Billed, of whatever class."""
    cached_tokens: int
    """Read from the cache."""


class CacheHistory(Struct, frozen=True, kw_only=True):
    """What must be remembered of a session's requests so far."""

    endpoint: str
    last_ms: int
    """Start of the latest."""
    warm: int = 0
    """Up to `warm_requests`."""
    cold: int = 0
    """In a row, since the last warm one."""
    cold_tokens: int = 0
    """Of their input, what was not read from the cache."""
    told: bool = False
    """The collapse that is going on has been told."""


def watch(history: CacheHistory | None, use: PromptUse, policy: CollapsePolicy) -> tuple[CacheHistory | None, Verdict]:
    """(what to remember, what this request was). Requests may come in any order; a small one changes nothing."""
    if use.input_tokens < policy.least_tokens:
        return history, "small"
    is_warm = use.cached_tokens >= policy.high_share * use.input_tokens
    if history is None or history.endpoint != use.endpoint:
        made = CacheHistory(endpoint=use.endpoint, last_ms=use.started_ms, warm=int(is_warm))
        if is_warm:
            return made, "warm"
        return made, "first" if history is None else "moved"
    pause_ms = use.started_ms - history.last_ms
    last_ms = max(use.started_ms, history.last_ms)
    if is_warm:
        warm = min(history.warm + 1, policy.warm_requests)
        return structs.replace(history, last_ms=last_ms, warm=warm, cold=0, cold_tokens=0, told=False), "warm"
    if use.cached_tokens > policy.low_share * use.input_tokens:
        return structs.replace(history, last_ms=last_ms, cold=0, cold_tokens=0), "partly"
    if pause_ms > policy.lifetime_s * 1_000:
        return structs.replace(history, last_ms=last_ms, cold=0, cold_tokens=0), "pause"
    cold = history.cold + 1
    collapsed = cold >= policy.cold_requests and history.warm >= policy.warm_requests and not history.told
    found = structs.replace(
        history,
        last_ms=last_ms,
        cold=cold,
        cold_tokens=history.cold_tokens + use.input_tokens - use.cached_tokens,
        told=history.told or collapsed,
    )
    return found, "collapsed" if collapsed else "cold"
