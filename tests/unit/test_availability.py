"""The simulation of availability: what it leaves out is what it would have found, and outages are what they say."""

import random

import pytest
from benchmarks.availability import directly, main, through_bascule
from benchmarks.outages import Outage, Provider, both_down_s, drawn

HOUR_S = 3_600.0


def provider(*outages: Outage) -> Provider:
    return Provider(outages)


TROUBLE = [
    provider(Outage(600.0, 700.0, "errors"), Outage(1_500.0, 1_560.0, "silent")),
    provider(Outage(650.0, 720.0, "refused"), Outage(2_600.0, 2_700.0, "silent")),
]


@pytest.mark.parametrize("shape", ["stream", "whole"])
@pytest.mark.parametrize("hedge_after_s", [None, 3.0])
def test_what_is_skipped_is_answered(shape, hedge_after_s) -> None:
    short = through_bascule(TROUBLE, HOUR_S, shape, hedge_after_s=hedge_after_s)
    long = through_bascule(TROUBLE, HOUR_S, shape, hedge_after_s=hedge_after_s, skip=False)
    assert (short.requests, short.answered) == (long.requests, long.answered) == (3_600, long.answered)
    assert abs(short.promptly - long.promptly) <= 5


def test_one_provider_that_is_down_answers_nobody_and_two_do() -> None:
    down = provider(Outage(600.0, 700.0, "errors"))
    alone = through_bascule([down], HOUR_S, "whole")
    assert 95 <= alone.requests - alone.answered <= 110
    both = through_bascule([down, provider()], HOUR_S, "whole")
    assert both.answered == both.requests == 3_600
    assert both.attempts <= 3_600 + 150
    sdk = directly(down, HOUR_S, "whole")
    assert 90 <= sdk.requests - sdk.answered <= 100


def test_a_stream_that_runs_when_its_provider_dies_is_lost_whatever_stands_by() -> None:
    dies = [provider(Outage(600.0, 700.0, "refused")), provider()]
    lost = through_bascule(dies, HOUR_S, "stream")
    assert 1 <= lost.requests - lost.answered <= 7
    assert through_bascule(dies, HOUR_S, "whole").answered == 3_600


def test_a_hedge_finds_out_what_says_nothing() -> None:
    silent = [provider(Outage(600.0, 900.0, "silent")), provider()]
    plain, hedged = (
        through_bascule(silent, HOUR_S, "stream"),
        through_bascule(silent, HOUR_S, "stream", hedge_after_s=3.0),
    )
    assert plain.promptly < 3_500
    assert hedged.promptly >= 3_590


def test_three_nines_are_three_nines() -> None:
    dice, seconds = random.Random(1), 400 * 30 * 86_400.0
    one, other = drawn(dice, seconds), drawn(dice, seconds)
    down_s = sum(outage.end_s - outage.begin_s for outage in one.outages)
    assert down_s / seconds == pytest.approx(0.001, rel=0.1)
    assert both_down_s([one, other]) / seconds == pytest.approx(1e-6, rel=0.6)


def test_the_command_prints_its_table(capsys) -> None:
    assert main(["--months", "0.05", "--seed", "3"]) == 0
    assert "two providers, hedge after 3 s" in capsys.readouterr().out
