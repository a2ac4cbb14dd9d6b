"""Caches of prefixes, simulated, keep the documented rules."""

from typing import Any

import pytest

from bascule.testing.clock import FakeClock
from bascule.testing.prefix_cache import PrefixCache, deepseek_cache, openai_cache


def body(*contents: str, **more: Any) -> dict[str, Any]:
    turns = [{"role": "user" if at % 2 == 0 else "assistant", "content": text} for at, text in enumerate(contents)]
    return {"model": "m", "messages": turns, **more}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def cache(clock: FakeClock) -> PrefixCache:
    return openai_cache(clock)


LONG = "".join([f"line {at}\n" for at in range(1_000)])


def test_the_common_beginning_is_read_in_steps_of_128(cache: PrefixCache) -> None:
    first = cache.use(body(LONG))
    assert (first.read, first.written_5m) == (0, 0)
    grown = cache.use(body(LONG, "yes", "more"))
    assert grown.read % 128 == 0
    assert 0 <= first.total - grown.read < 128 + 4


def test_a_change_at_the_beginning_loses_all(cache: PrefixCache) -> None:
    cache.use(body(LONG))
    assert cache.use(body("!" + LONG)).read == 0
    assert cache.use(body(LONG, tools=[{"type": "function"}])).read == 0
    assert cache.use({**body(LONG), "model": "n"}).read == 0


def test_short_prompts_are_not_cached(cache: PrefixCache) -> None:
    short = body("x" * 3_900)
    cache.use(short)
    assert cache.use(short).read == 0


def test_it_is_forgotten_when_it_is_not_used(cache: PrefixCache, clock: FakeClock) -> None:
    cache.use(body(LONG))
    clock.advance(299)
    assert cache.use(body(LONG)).read
    clock.advance(299)
    assert cache.use(body(LONG)).read, "use lengthens it"
    clock.advance(301)
    assert cache.use(body(LONG)).read == 0


def test_another_key_goes_to_another_machine(cache: PrefixCache) -> None:
    cache.use(body(LONG, prompt_cache_key="a"))
    assert cache.use(body(LONG, prompt_cache_key="b")).read == 0
    assert cache.use(body(LONG, prompt_cache_key="a")).read


def test_deepseek_reads_in_units_of_64_and_knows_no_keys(clock: FakeClock) -> None:
    cache = deepseek_cache(clock)
    cache.use(body("y" * 600, prompt_cache_key="a"))
    use = cache.use(body("y" * 600, prompt_cache_key="b"))
    assert (use.read, use.read % 64) == (use.total // 64 * 64, 0)
    clock.advance(3_000)
    assert cache.use(body("y" * 600)).read
