import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.model.usage import Usage
from bascule.offline.imports.judge import Content, estimated_output, judge
from bascule.offline.imports.observed import ESTIMATED, FINAL, PLAUSIBLE, UNKNOWN

CACHED = {"tokens_in": 3, "tokens_cache_read": 17_997, "tokens_cache_write_5m": 4_678, "source": "reported"}


def content(shown: int, tool_calls: int = 0, hidden: int = 0) -> Content:
    return Content(shown, hidden, tool_calls)


@pytest.mark.parametrize(("chars", "truth"), [(1, 5), (509, 113), (832, 294)])
def test_the_estimate_is_near_the_measurements_of_issue_25941(chars: int, truth: int) -> None:
    """Visible characters and true output tokens of three answers whose log recorded 1, 1 and 2."""
    assert truth * 0.8 <= estimated_output(content(chars)) <= truth * 1.35


def test_a_final_count_is_taken_as_it_is() -> None:
    usage = Usage(tokens_out=420, **CACHED)
    judged = judge(usage, "end_turn", content(900))
    assert (judged.usage, judged.quality, judged.recorded_out) == (usage, FINAL, None)


def test_hidden_reasoning_makes_a_final_count_larger_than_its_text_and_no_less_true() -> None:
    assert judge(Usage(tokens_out=9_000, **CACHED), "end_turn", content(40)).quality == FINAL


def test_a_count_from_the_beginning_of_the_stream_is_replaced() -> None:
    judged = judge(Usage(tokens_out=8, **CACHED), None, content(3_500, tool_calls=1))
    assert judged.quality == ESTIMATED
    assert judged.usage.tokens_out == 1_000 + 4 + 12
    assert judged.usage.source == "estimated"
    assert judged.usage.flags == ("estimated_output",)
    assert judged.recorded_out == 8
    assert judged.usage.tokens_cache_read == 17_997, "the cache counts were right"


def test_an_unconfirmed_count_that_fits_its_content_is_kept_and_flagged() -> None:
    judged = judge(Usage(tokens_out=980, **CACHED), None, content(3_500))
    assert (judged.quality, judged.usage.tokens_out, judged.usage.source) == (PLAUSIBLE, 980, "reported")
    assert judged.usage.flags == ("unconfirmed",)


def test_not_even_a_final_count_covers_sixteen_bytes_a_token() -> None:
    judged = judge(Usage(tokens_out=20, **CACHED), "tool_use", content(3_500))
    assert (judged.quality, judged.usage.source) == (ESTIMATED, "estimated")


def test_one_uncached_token_beside_a_cached_prompt_is_flagged_and_kept() -> None:
    judged = judge(Usage(**{**CACHED, "tokens_in": 1}, tokens_out=50), "end_turn", content(100))
    assert (judged.usage.tokens_in, judged.usage.flags, judged.quality) == (1, ("input_placeholder",), FINAL)


@pytest.mark.parametrize("tokens_in", [0, 1])
def test_one_token_of_input_in_all_is_unknown_not_small(tokens_in: int) -> None:
    judged = judge(Usage(tokens_in=tokens_in, tokens_out=50, source="reported"), "end_turn", content(100))
    assert judged.usage.tokens_in is None
    assert (judged.usage.flags, judged.quality) == (("input_unknown",), UNKNOWN)


def test_thinking_that_was_logged_encrypted_counts_by_its_size() -> None:
    assert estimated_output(content(0, hidden=700)) == estimated_output(content(700))


def test_no_usage_at_all_leaves_the_input_unknown() -> None:
    judged = judge(Usage(), None, content(700))
    assert judged.usage.tokens_in is None
    assert judged.usage.tokens_out == 204
    assert judged.quality == UNKNOWN


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from([None, "end_turn"]), st.integers(0, 9))
def test_nothing_recorded_is_ever_taken_away(out: int, shown: int, stop: str | None, calls: int) -> None:
    judged = judge(Usage(tokens_out=out, **CACHED), stop, content(shown, calls))
    assert judged.usage.tokens_out >= out
    assert (judged.usage.source == "estimated") == (judged.recorded_out is not None)
