import random

import pytest
from msgspec import structs
from tests.unit.decide.promotion.test_trial import session

from bascule.decide.evidence.betting import Capital
from bascule.decide.evidence.detector import Alarm
from bascule.decide.promotion.step import (
    Transition,
    approved,
    demoted,
    doubt,
    is_waiting_for_approval,
    pinned,
    stepped,
    suspicion,
    unpinned,
)
from bascule.decide.promotion.trial import Rules, Trial, TrialKey, with_session

RULES = Rules(canary_sessions=40)
KEY = TrialKey(route="auto", task="chat", incumbent="big", challenger="small")
TRIAL = Trial(key=KEY, since_ms=0)
EVEN = [1.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
WORSE = [1.0, -1.0, -1.0, -1.0, 0.0, 0.0, 0.0, 0.0]


def run(
    trial: Trial, choices: list[float], count: int, rules: Rules = RULES, seed: int = 1
) -> tuple[Trial, list[Transition]]:
    draw, made = random.Random(seed), []
    for at in range(count):
        trial, transition = stepped(with_session(trial, session(draw.choice(choices), began_ms=at), rules), rules, at)
        made += [] if transition is None else [transition]
    return trial, made


def at_level(level: float, trial: Trial = TRIAL) -> Trial:
    return structs.replace(trial, alarm=Alarm(count=50, sums=(level,) * len(Alarm().sums)))


PROVEN = structs.replace(TRIAL, capital=Capital(count=50, adaptive=100.0))


def test_an_equal_challenger_is_promoted_and_one_that_then_turns_bad_is_demoted() -> None:
    serving, made = run(TRIAL, EVEN, 2_000)
    assert [(one.before, one.after) for one in made][:2] == [("shadow", "canary"), ("canary", "promoted")]
    assert serving.state in ("promoted", "watched")
    _, fell = run(serving, WORSE, 400)
    assert [one.after for one in fell][-2:] in (["watched", "demoted"], ["demoted"])
    assert fell[-1].evidence.alarm_level >= fell[-1].evidence.alarm_at == 5_000
    assert fell[-1].evidence.e_value >= 20  # what it was promoted on is kept


def test_a_worse_challenger_never_serves_and_stops_costing() -> None:
    _, made = run(TRIAL, WORSE, 400)
    assert [(one.before, one.after) for one in made] == [("shadow", "demoted")]


def test_a_transition_says_what_was_known() -> None:
    _, made = run(TRIAL, EVEN, 2_000)
    evidence = made[0].evidence
    assert made[0].key == KEY
    assert made[0].by is None
    assert (evidence.sessions, evidence.e_needed, evidence.margin) == (evidence.pairs, 20.0, 0.05)
    assert evidence.e_value >= 20
    assert evidence.low is not None
    assert evidence.low < evidence.difference < evidence.high
    assert made[1].evidence.watched_sessions == 40  # counted anew since it served its share


def test_few_sessions_prove_nothing() -> None:
    early = structs.replace(PROVEN, capital=Capital(count=29, adaptive=1e6))
    assert stepped(early, RULES, 9)[1] is None
    assert stepped(PROVEN, RULES, 9)[0].proven_ms == 9


def test_who_has_just_turned_bad_is_not_promoted_on_an_old_capital() -> None:
    trial, transition = stepped(at_level(doubt(RULES), PROVEN), RULES, 9)
    assert (transition, trial.proven_ms) == (None, None)


def test_suspicion_comes_and_passes() -> None:
    promoted = structs.replace(PROVEN, state="promoted", proven_ms=1)
    watched, _ = stepped(at_level(suspicion(RULES), promoted), RULES, 9)
    assert watched.state == "watched"
    assert stepped(at_level(0.6 * suspicion(RULES), watched), RULES, 10)[1] is None
    assert stepped(at_level(0.4 * suspicion(RULES), watched), RULES, 10)[0].state == "promoted"


def test_a_canary_under_suspicion_stays_one() -> None:
    canary = structs.replace(PROVEN, state="canary", proven_ms=1, in_state=40)
    assert stepped(at_level(suspicion(RULES), canary), RULES, 9)[1] is None
    assert stepped(at_level(1.0, canary), RULES, 9)[0].state == "promoted"
    assert stepped(at_level(5_000.0, canary), RULES, 9)[0].state == "demoted"


def test_with_approval_nobody_serves_before_somebody_agrees() -> None:
    rules = structs.replace(RULES, approval=True)
    waiting, transition = stepped(PROVEN, rules, 9)
    assert transition is None
    assert is_waiting_for_approval(waiting, rules)
    serving, agreed = approved(waiting, rules, 11, by="ann")
    assert (serving.state, serving.approved_by, agreed.by, agreed.after) == ("canary", "ann", "ann", "canary")
    assert serving.alarm == Alarm()


def test_nobody_can_approve_what_is_not_proven() -> None:
    with pytest.raises(ValueError, match="no promotion to approve"):
        approved(TRIAL, RULES, 9, by="ann")


def test_a_demoted_challenger_stays_so_until_somebody_lets_it_try_anew() -> None:
    out, transition = demoted(structs.replace(PROVEN, state="promoted", proven_ms=1), RULES, 9, by="ann", reason="bad")
    assert (out.state, transition.by, transition.reason) == ("demoted", "ann", "bad")
    assert stepped(out, RULES, 10) == (out, None)
    with pytest.raises(ValueError, match="already"):
        demoted(out, RULES, 9, by="ann", reason="bad")
    anew, _ = approved(out, RULES, 12, by="ann")
    assert (anew.state, anew.proven_ms, anew.capital, anew.alarm, anew.since_ms) == (
        "shadow",
        None,
        Capital(),
        Alarm(),
        12,
    )


def test_a_pinned_incumbent_serves_whatever_is_proven() -> None:
    held, transition = pinned(structs.replace(PROVEN, state="promoted", proven_ms=1), RULES, 9, by="ann")
    assert (held.state, held.pinned_by, transition.after) == ("shadow", "ann", "shadow")
    again, made = run(held, EVEN, 2_000)
    assert made == []
    assert again.proven_ms is not None
    with pytest.raises(ValueError, match="pinned by ann"):
        approved(again, RULES, 9, by="bob")
    free, transition = unpinned(again, RULES, 10, by="bob")
    assert (transition.before, transition.after, transition.by) == ("shadow", "shadow", "bob")
    assert stepped(free, RULES, 11)[0].state == "canary"
    with pytest.raises(ValueError, match="not pinned"):
        unpinned(free, RULES, 12, by="bob")
