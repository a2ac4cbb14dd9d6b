import pytest
from msgspec import structs

from bascule.decide.calibration import Calibration, observe_input, observe_output
from bascule.decide.meter import ASTRONOMIC_TOKENS, NOT_BILLED, UNKNOWN_BILL, bill, settle_usage
from bascule.model.facts import Facts
from bascule.model.usage import NO_USAGE, Usage

REQUEST = Facts(model="m", text_bytes=4_000, messages=1)


def trained() -> Calibration:
    """A model of one token in four bytes, both ways."""
    learned = Calibration()
    for size in (400, 4_000, 40_000) * 100:
        learned = observe_input(learned, size, size // 4)
        learned = observe_output(learned, size, size // 4)
    return learned


TRAINED = trained()


def settle(usage: Usage, ending: str = "completed", output_bytes: int = 400) -> Usage:
    return settle_usage(usage, output_bytes=output_bytes, facts=REQUEST, ending=ending, calibration=TRAINED)


def test_reported_usage_is_taken_as_it_is():
    usage = Usage(tokens_in=7, tokens_cache_read=9, tokens_out=3, tokens_reasoning=2, source="reported", raw="{}")
    assert settle(usage) is usage


def test_a_reported_zero_stays_zero():
    usage = Usage(tokens_in=0, tokens_out=0, source="reported", flags=("zero",))
    assert settle(usage) is usage


def test_embeddings_without_output_are_complete():
    usage = Usage(tokens_in=7, source="reported")
    assert settle(usage, output_bytes=0) is usage


def test_reasoning_without_an_output_count_is_the_providers_word():
    usage = Usage(tokens_in=7, tokens_reasoning=30, source="reported")
    assert settle(usage) is usage


def test_a_complete_answer_without_usage_is_estimated_within_15_percent_and_not_below():
    usage = settle(NO_USAGE, output_bytes=8_000)
    assert usage.source == "estimated"
    assert 1_000 <= usage.billed_input <= 1_150
    assert 2_000 <= usage.billed_output <= 2_300
    assert bill(usage) == "usage"


def test_only_the_missing_side_is_estimated():
    usage = settle(Usage(tokens_in=500, tokens_cache_read=100, source="reported"), output_bytes=8_000)
    assert (usage.tokens_in, usage.tokens_cache_read, usage.source) == (500, 100, "estimated")
    assert 2_000 <= usage.billed_output <= 2_300
    assert usage.flags == ("partial",)


def test_cache_buckets_alone_leave_the_rest_of_the_input_to_be_estimated():
    usage = settle(Usage(tokens_cache_read=600, tokens_out=5, source="reported"))
    assert usage.source == "estimated"
    assert 1_000 <= usage.billed_input <= 1_150


@pytest.mark.parametrize("ending", ["cut", "client_gone"])
def test_a_broken_stream_is_never_below_what_was_seen(ending):
    start = Usage(tokens_in=900, tokens_out=1, source="reported")  # Anthropic's message_start
    usage = settle(start, ending, output_bytes=4_000)
    assert usage.tokens_in == 900
    assert 1_000 <= usage.billed_output <= 1_150
    assert usage.source == "estimated"
    more = settle(Usage(tokens_in=900, tokens_out=5_000, source="reported"), ending, output_bytes=4_000)
    assert more.billed_output == 5_000


def test_a_cumulative_count_next_to_the_estimate_is_the_truth():
    usage = settle(Usage(tokens_in=900, tokens_out=1_000, source="reported"), "cut", output_bytes=4_000)
    assert usage.billed_output == 1_000
    assert usage.source == "estimated"


def test_reasoning_seen_counts_towards_what_a_cut_stream_generated():
    usage = settle(Usage(tokens_in=9, tokens_out=1, tokens_reasoning=300, source="reported"), "cut", output_bytes=4_000)
    assert usage.tokens_reasoning == 300
    assert 1_000 <= usage.billed_output <= 1_150


def test_a_stream_cut_before_content_has_read_its_input():
    usage = settle(NO_USAGE, "cut", output_bytes=0)
    assert 1_000 <= usage.billed_input <= 1_150
    assert usage.tokens_out == 0


def test_an_error_status_without_usage_costs_nothing():
    usage = settle(NO_USAGE, "failed", output_bytes=0)
    assert usage is NOT_BILLED
    assert bill(usage) == "nothing"


def test_an_error_with_usage_costs_what_it_says():
    usage = Usage(tokens_in=10, tokens_out=2, source="reported")
    assert settle(usage, "failed") is usage


def test_half_a_report_is_no_bill_where_the_end_is_unknown():
    """As of a stream that holds what cannot be read: what the provider bills behind it was not seen."""
    begun = Usage(tokens_in=10, tokens_out=1, source="reported", flags=("partial",))
    assert bill(settle(begun, "unknown", output_bytes=4)) == "hold"
    assert bill(settle(begun, "cut", output_bytes=4)) == "usage"
    whole = Usage(tokens_in=10, tokens_out=1, source="reported")
    assert bill(settle(whole, "unknown", output_bytes=4)) == "usage"


def test_an_unknown_bill_is_charged_at_the_hold():
    usage = settle(NO_USAGE, "unknown", output_bytes=0)
    assert usage is UNKNOWN_BILL
    assert usage.source == "estimated"
    assert usage.tokens_in is None
    assert bill(usage) == "hold"


def test_counts_that_the_end_did_not_confirm_are_a_floor_and_no_bill():
    start = Usage(tokens_in=900, tokens_out=1, source="reported", flags=("partial",))  # the last delta never came
    usage = settle(start, "completed", output_bytes=4_000)
    assert (usage.source, usage.flags) == ("estimated", ("partial",))
    assert usage.tokens_in == 900
    assert 1_000 <= usage.billed_output <= 1_150


@pytest.mark.parametrize(
    "told",
    [
        Usage(tokens_in=0, tokens_out=0, source="reported", flags=("negative",), raw='{"prompt_tokens":-5}'),
        Usage(tokens_in=10, tokens_out=1_000_000_000, source="reported", flags=("clamped",), raw="{}"),
    ],
)
def test_an_absurd_report_is_not_believed_but_kept(told: Usage) -> None:
    facts = Facts(model="m", text_bytes=4_000)
    usage = settle_usage(told, output_bytes=400, facts=facts, ending="completed", calibration=Calibration())
    assert usage.source == "estimated"
    assert usage.flags == told.flags
    assert usage.raw == told.raw
    assert 800 < (usage.tokens_in or 0) < 1_300
    assert 80 < (usage.tokens_out or 0) < 150


def test_a_part_that_was_larger_than_its_whole_does_not_discredit_the_rest() -> None:
    told = Usage(tokens_in=10, tokens_out=0, tokens_reasoning=20, source="reported", flags=("clamped",))
    facts = Facts(model="m", text_bytes=40)
    usage = settle_usage(told, output_bytes=5, facts=facts, ending="completed", calibration=Calibration())
    assert usage == told


def test_an_estimate_runs_where_the_client_asked_unless_the_provider_said_otherwise():
    asked = structs.replace(REQUEST, inference_geo="us")
    for told, settled in ((None, "us"), ("global", "global")):
        usage = settle_usage(
            Usage(inference_geo=told), output_bytes=40, facts=asked, ending="client_gone", calibration=Calibration()
        )
        assert (usage.source, usage.inference_geo) == ("estimated", settled)


@pytest.mark.parametrize("tokens", [ASTRONOMIC_TOKENS, 3 * ASTRONOMIC_TOKENS])
def test_a_count_at_the_limit_is_as_absurd_as_one_above_it(tokens):
    lie = Usage(tokens_in=10, tokens_out=tokens, source="reported")
    settled = settle(lie, output_bytes=40)
    assert settled.source == "estimated"
    assert settled.billed_output < 100
