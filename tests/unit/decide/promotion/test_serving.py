from collections import Counter

from msgspec import structs

from bascule.decide.promotion.serving import compared_share, is_compared, served_by
from bascule.decide.promotion.trial import Rules, State, Trial, TrialKey

RULES = Rules(holdout=0.1, canary_share=0.2, shadow_share=0.3, watch_share=0.05)
SESSIONS = [f"s{number}" for number in range(4_000)]


def trial(challenger: str, state: State) -> Trial:
    key = TrialKey(route="auto", task="chat", incumbent="big", challenger=challenger)
    return Trial(key=key, state=state, since_ms=0)


def shares(*trials: Trial) -> dict[str, float]:
    served = [served_by(trials, session, "salt", RULES) for session in SESSIONS]
    names = ["held" if one.held_out else one.trial.key.challenger if one.trial else "big" for one in served]
    return {name: round(count / len(SESSIONS), 2) for name, count in Counter(names).items()}


def near(found: dict[str, float], expected: dict[str, float]) -> bool:
    return found.keys() == expected.keys() and all(abs(found[name] - share) < 0.03 for name, share in expected.items())


def test_who_is_in_the_shadow_or_demoted_serves_nobody() -> None:
    assert near(shares(trial("a", "shadow"), trial("b", "demoted")), {"held": 0.1, "big": 0.9})


def test_a_canary_serves_its_share_and_one_that_is_promoted_the_rest() -> None:
    assert near(shares(trial("a", "canary")), {"held": 0.1, "a": 0.18, "big": 0.72})
    assert near(shares(trial("a", "promoted")), {"held": 0.1, "a": 0.9})
    both = shares(trial("a", "watched"), trial("b", "canary"), trial("c", "promoted"))
    assert near(both, {"held": 0.1, "b": 0.18, "a": 0.72})


def test_a_pin_keeps_the_incumbent() -> None:
    held = structs.replace(trial("a", "promoted"), pinned_by="ann")
    assert near(shares(held), {"held": 0.1, "big": 0.9})


def test_who_is_held_out_stays_so_whatever_the_states() -> None:
    def held(*trials: Trial) -> set[str]:
        return {session for session in SESSIONS if served_by(trials, session, "salt", RULES).held_out}

    assert held(trial("a", "shadow")) == held(trial("a", "promoted"), trial("b", "canary"))


def test_a_session_that_was_served_by_the_canary_stays_with_it_when_it_is_promoted() -> None:
    def served(state: State) -> set[str]:
        return {session for session in SESSIONS if served_by([trial("a", state)], session, "salt", RULES).trial}

    assert served("canary") < served("promoted")


def test_how_many_are_compared() -> None:
    assert [compared_share(state, RULES) for state in ("shadow", "canary", "promoted", "watched", "demoted")] == [
        *(0.3, 0.3, 0.05, 0.3, 0.0)
    ]
    picked = [name for name in SESSIONS if is_compared(trial("a", "shadow"), name, "salt", RULES)]
    assert 0.27 < len(picked) / len(SESSIONS) < 0.33
    others = [name for name in SESSIONS if is_compared(trial("b", "shadow"), name, "salt", RULES)]
    assert picked != others
