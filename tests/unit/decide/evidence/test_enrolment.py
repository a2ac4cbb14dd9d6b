import random

from bascule.decide.evidence.enrolment import Pair, Patience, counted

PATIENCE = Patience(session_ms=100, outcome_ms=1_000)


def pair(session: str, at_ms: int, difference: float | None = None, graded_ms: int | None = None) -> Pair:
    if difference is not None and graded_ms is None:
        graded_ms = at_ms + 1
    return Pair(session_id=session, enrolled_ms=at_ms, difference=difference, graded_ms=graded_ms)


def test_a_session_is_one_observation_once_it_has_closed() -> None:
    pairs = [pair("a", 0, 1.0), pair("a", 50, 0.0), pair("a", 99, -0.5)]
    assert counted(pairs, 99, PATIENCE) == []
    (one,) = counted(pairs, 100, PATIENCE)
    assert (one.session_id, one.began_ms, one.pairs, one.missing) == ("a", 0, 3, 0)
    assert one.for_promotion == one.for_demotion == 0.5 / 3


def test_a_session_that_waits_holds_back_those_behind_it() -> None:
    pairs = [pair("late", 0), pair("next", 10, 1.0)]
    assert counted(pairs, 1_000, PATIENCE) == []
    late, after = counted(pairs, 1_100, PATIENCE)
    assert (late.session_id, late.missing, late.for_promotion, late.for_demotion) == ("late", 1, -1.0, None)
    assert (after.session_id, after.for_promotion) == ("next", 1.0)


def test_an_outcome_after_patience_is_missing_whenever_one_looks() -> None:
    in_time, too_late = pair("a", 0, 1.0, graded_ms=1_099), pair("b", 0, 1.0, graded_ms=1_100)
    assert [one.missing for one in counted([in_time, too_late], 5_000, PATIENCE)] == [0, 1]


def test_what_is_enrolled_after_its_session_closed_is_left_out() -> None:
    (one,) = counted([pair("a", 0, 0.0), pair("a", 100, -1.0)], 2_000, PATIENCE)
    assert (one.pairs, one.for_promotion) == (1, 0.0)


def test_a_session_of_one_request_closes_at_once() -> None:
    (one,) = counted([pair("a", 7, 1.0)], 7, Patience(session_ms=0, outcome_ms=10))
    assert one.for_promotion == 1.0


def test_looking_often_shows_the_same_as_looking_once() -> None:
    draw = random.Random(11)
    pairs = []
    for at in range(200):
        never = draw.random() < 0.1
        graded_ms = None if never else at * 10 + draw.randrange(1, 1_500)
        pairs.append(pair(f"s{draw.randrange(60)}", at * 10, None if never else 1.0, graded_ms))
    at_once = counted(pairs, 10**6, PATIENCE)
    seen, done = [], set()
    for now_ms in range(0, 5_000, 7):
        known = [
            Pair(
                session_id=one.session_id,
                enrolled_ms=one.enrolled_ms,
                difference=one.difference if (one.graded_ms or now_ms + 1) <= now_ms else None,
                graded_ms=one.graded_ms,
            )
            for one in pairs
            if one.enrolled_ms <= now_ms and one.session_id not in done
        ]
        fresh = counted(known, now_ms, PATIENCE)
        seen += fresh
        done |= {one.session_id for one in fresh}
    assert seen == at_once
