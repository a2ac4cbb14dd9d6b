"""Anthropic's simulated prompt cache keeps the documented rules."""

from typing import Any

import pytest

from bascule.testing.anthropic_cache import AnthropicCache
from bascule.testing.cache_use import CacheUse, RefusedUse, cached
from bascule.testing.clock import FakeClock
from bascule.testing.script import ProviderRequest

MARK = {"type": "ephemeral"}
HOUR = {"type": "ephemeral", "ttl": "1h"}
MODEL = "claude-sonnet-4-5"
LONG = "x" * 8_000


def text(content: str, mark: dict[str, str] | None = None) -> dict[str, Any]:
    return {"type": "text", "text": content, **({} if mark is None else {"cache_control": mark})}


def user(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def body(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"model": MODEL, "messages": list(messages), **more}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def cache(clock: FakeClock) -> AnthropicCache:
    return AnthropicCache(clock)


def used(cache: AnthropicCache, given: dict[str, Any]) -> CacheUse:
    use = cache.use(given)
    assert isinstance(use, CacheUse)
    return use


ONE = body(user(text(LONG, MARK)))


def test_what_is_marked_is_written_once_and_read_then(cache: AnthropicCache) -> None:
    first = used(cache, body(user(text(LONG, MARK), text("tail" * 100))))
    assert first.read == 0
    assert first.written_5m > 2_000
    assert first.total - first.written_5m > 100, "what follows the last mark is plain input"
    again = used(cache, body(user(text(LONG, MARK), text("other"))))
    assert (again.read, again.written_5m) == (first.written_5m, 0)


def test_without_marks_nothing_is_cached(cache: AnthropicCache) -> None:
    for _ in range(2):
        use = used(cache, body(user(text(LONG))))
        assert (use.read, use.written_5m, use.written_1h) == (0, 0, 0)


def test_each_use_lengthens_five_minutes(cache: AnthropicCache, clock: FakeClock) -> None:
    used(cache, ONE)
    for _ in range(3):
        clock.advance(299)
        assert used(cache, ONE).read
    clock.advance(301)
    assert used(cache, ONE).read == 0


def test_an_hour_is_an_hour(cache: AnthropicCache, clock: FakeClock) -> None:
    first = used(cache, body(user(text(LONG, HOUR))))
    assert (first.written_5m, first.written_1h > 2_000) == (0, True)
    clock.advance(3_599)
    assert used(cache, body(user(text(LONG, HOUR)))).read


def test_mixed_lifetimes_are_written_apart_and_the_longer_comes_first(cache: AnthropicCache) -> None:
    use = used(cache, body(user(text(LONG, HOUR), text(LONG, MARK))))
    assert use.written_1h == pytest.approx(use.written_5m, rel=0.05)
    assert isinstance(cache.use(body(user(text(LONG, MARK), text(LONG, HOUR)))), RefusedUse)


def test_a_short_prefix_is_not_cached_and_nobody_says_so(cache: AnthropicCache) -> None:
    short = body(user(text("x" * 3_900, MARK)))
    assert used(cache, short).written_5m == 0
    assert used(cache, short).read == 0
    long_enough_elsewhere = {**ONE, "model": "claude-opus-4-6"}
    assert used(cache, long_enough_elsewhere).written_5m == 0


def test_more_than_four_marks_are_refused(cache: AnthropicCache) -> None:
    four = [text(LONG, MARK)] * 4
    assert isinstance(cache.use(body(user(*four))), CacheUse)
    assert isinstance(cache.use(body(user(*four, text("x", MARK)))), RefusedUse)
    automatic = cache.use(body(user(*four, text("x")), cache_control=MARK))
    assert isinstance(automatic, RefusedUse), "the automatic mark is one of the four"


def test_the_automatic_mark_moves_with_the_conversation(cache: AnthropicCache) -> None:
    first = used(cache, body(user(text(LONG)), cache_control=MARK))
    grown = [user(text(LONG)), {"role": "assistant", "content": "yes"}, user(text("more"))]
    assert used(cache, body(*grown, cache_control=MARK)).read == first.total


def test_a_mark_looks_back_twenty_positions(cache: AnthropicCache) -> None:
    start = text(LONG, MARK)
    used(cache, body(user(start)))
    start = text(LONG)
    near = [*[text(f"{at}") for at in range(18)], text("end", MARK)]
    assert used(cache, body(user(start, *near))).read > 2_000
    far = [*[text(f"far {at}") for at in range(19)], text("end", MARK)]
    assert used(cache, body(user(start, *far))).read == 0


def test_a_run_of_tool_results_is_one_position(cache: AnthropicCache) -> None:
    used(cache, body(user(text(LONG, MARK))))
    calls = [{"type": "tool_use", "id": f"c{at}", "name": "read", "input": {}} for at in range(30)]
    results: list[dict[str, Any]] = [
        {"type": "tool_result", "tool_use_id": f"c{at}", "content": "x"} for at in range(30)
    ]
    results[-1]["cache_control"] = MARK
    grown = body(user(text(LONG)), {"role": "assistant", "content": calls}, user(*results))
    assert used(cache, grown).read > 2_000


def marked_everywhere(**more: Any) -> dict[str, Any]:
    tools = [{"name": "read", "description": LONG, "input_schema": {"type": "object"}, "cache_control": MARK}]
    given = body(user(text(LONG, MARK)), tools=tools, system=[text(LONG, MARK)])
    return {**given, **more}


@pytest.mark.parametrize(
    ("change", "thousands_read"),
    [
        ({}, 6),
        ({"tools": [{"name": "write", "description": LONG, "cache_control": MARK}]}, 0),
        ({"model": "claude-sonnet-4-0"}, 0),
        ({"speed": "fast"}, 2),
        ({"system": [text(LONG + "!", MARK)]}, 2),
        ({"tool_choice": {"type": "any"}}, 4),
        ({"thinking": {"type": "adaptive"}}, 4),
        ({"output_config": {"effort": "low"}}, 4),
        ({"messages": [user(text(LONG + "!", MARK))]}, 4),
    ],
)
def test_what_changes_decides_what_is_lost(cache: AnthropicCache, change: Any, thousands_read: int) -> None:
    used(cache, marked_everywhere())
    assert used(cache, marked_everywhere(**change)).read // 1_000 == thousands_read


def test_text_alone_is_a_block_of_text(cache: AnthropicCache) -> None:
    used(cache, ONE)
    grown = [{"role": "user", "content": LONG}, {"role": "assistant", "content": "yes"}, user(text("b", MARK))]
    assert used(cache, body(*grown)).read > 2_000


def test_a_script_reports_what_the_cache_says(cache: AnthropicCache) -> None:
    told: list[CacheUse] = []
    choose = cached(cache, tell=lambda _, use: told.append(use))

    def request(given: dict[str, Any]) -> ProviderRequest:
        return ProviderRequest(
            number=1, dialect="anthropic", path="/v1/messages", model=MODEL, stream=False, headers={}, body=given
        )

    first, second = choose(request(ONE)), choose(request(ONE))
    assert (first.cached_tokens, second.cached_tokens) == (0, first.cache_write_5m_tokens)
    assert first.input_tokens == told[0].total
    assert choose(request(body(user(*[text(LONG, MARK)] * 5)))).status == 400
    assert len(told) == 2
