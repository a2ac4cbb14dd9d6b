import pytest
from msgspec import structs

from bascule.decide.evidence.betting import Bets, observed_all
from bascule.decide.evidence.enrolment import Counted
from bascule.decide.evidence.judge_error import JudgeError
from bascule.decide.promotion.trial import (
    Costs,
    Rules,
    Trial,
    TrialKey,
    Uncalibrated,
    bets_of,
    calibration_alpha,
    shared_alpha,
    threshold,
    watch_of,
    with_session,
)

RULES = Rules()
TRIAL = Trial(key=TrialKey(route="auto", task="chat", incumbent="big", challenger="small"), since_ms=0)
FLATTERER = JudgeError(labels=500, low=-0.01, high=0.03, alpha=0.01)


def session(
    difference: float, came: float | None = None, *, pairs: int = 1, missing: int = 0, began_ms: int = 0
) -> Counted:
    return Counted(
        session_id="s",
        began_ms=began_ms,
        pairs=pairs,
        missing=missing,
        for_promotion=difference,
        for_demotion=difference if missing == 0 else came,
    )


def test_a_judge_s_error_moves_both_tests_against_the_challenger_s_favour() -> None:
    assert bets_of(TRIAL, RULES) == Bets(-0.05, 0.0)
    judged = structs.replace(TRIAL, judge=FLATTERER)
    assert bets_of(judged, RULES) == Bets(-0.05 + 0.03, 0.0)
    assert watch_of(judged, RULES).null == pytest.approx(-0.06)
    assert threshold(TRIAL, RULES) == 20.0
    assert threshold(judged, RULES) == pytest.approx(40.0)
    assert calibration_alpha(RULES) == pytest.approx(0.025)


def test_an_error_larger_than_the_margin_asks_for_more_than_equality() -> None:
    hopeless = structs.replace(TRIAL, judge=structs.replace(FLATTERER, high=0.2))
    bets = bets_of(hopeless, RULES)
    assert [bets.null, bets.target] == pytest.approx([0.15, 0.17])


def test_a_judge_that_is_not_calibrated_counts_for_nothing() -> None:
    with pytest.raises(Uncalibrated, match="small at chat"):
        with_session(structs.replace(TRIAL, judge=None), session(0.0), RULES)


def test_what_is_missing_is_against_promotion_and_no_sign_of_a_bad_model() -> None:
    lost = with_session(TRIAL, session(-1.0, None, missing=1), RULES)
    assert lost.capital == observed_all([-1.0], Bets(-0.05))
    assert (lost.alarm.count, lost.pairs, lost.missing) == (0, 1, 1)
    half = with_session(TRIAL, session(-0.5, 0.0, pairs=2, missing=1), RULES)
    assert (half.alarm.mean, half.capital.mean) == (0.0, -0.5)


def test_sessions_that_began_before_a_state_are_not_of_it() -> None:
    later = structs.replace(TRIAL, since_ms=100)
    for began_ms in (50, 99, 100, 150):
        later = with_session(later, session(0.0, began_ms=began_ms), RULES)
    assert (later.in_state, later.capital.count) == (2, 4)


def test_evidence_for_a_promotion_stands_still_once_it_is_made() -> None:
    proven = structs.replace(TRIAL, proven_ms=5)
    later = with_session(proven, session(1.0), RULES)
    assert later.capital.count == 0
    assert later.alarm.count == 1


def test_challengers_share_alpha() -> None:
    assert shared_alpha(RULES, 4).alpha == pytest.approx(0.0125)
    assert shared_alpha(RULES, 0).alpha == 0.05


def test_what_a_trial_costs_is_taken_off() -> None:
    assert Costs(shadow_nanousd=3, judge_nanousd=4, saved_nanousd=5).net_nanousd == -2


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"margin": 0.0}, "margin"),
        ({"alpha": 1.0}, "alpha"),
        ({"holdout": 1.5}, "holdout"),
        ({"shadow_share": -0.1}, "shadow_share"),
        ({"false_alarm_sessions": 0}, "false_alarm_sessions"),
    ],
)
def test_rules_that_cannot_be_are_refused_by_name(wrong: dict[str, float], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Rules(**wrong)
