"""Laws of evidence: what holds for every truth that a null hypothesis allows, and for all findings."""

from itertools import product

from hypothesis import assume, given
from hypothesis import strategies as st

from bascule.decide.evidence.betting import Bets, observed_all
from bascule.decide.evidence.detector import Alarm, Watch, watched
from bascule.decide.evidence.enrolment import Pair, Patience, counted
from bascule.decide.evidence.finding import Finding, Source, Subject
from bascule.decide.evidence.fold import estimate, means

STEPS = 4
ANYWHERE = st.floats(-1.0, 1.0, allow_nan=False)


@st.composite
def truths(draw: st.DrawFn) -> tuple[float, list[tuple[float, float]]]:
    """A distribution on three differences, and a null that its mean does not exceed."""
    values = draw(st.lists(ANYWHERE, min_size=3, max_size=3))
    weights = draw(st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3))
    total = sum(weights)
    chances = [(value, weight / total) for value, weight in zip(values, weights, strict=True)]
    mean = sum([value * chance for value, chance in chances])
    assume(mean <= 0.9)
    null = draw(st.floats(max(mean, -0.95), 0.95))
    return null, chances


@given(truths(), st.floats(0.01, 0.04))
def test_no_capital_can_be_expected_where_the_null_holds(
    truth: tuple[float, list[tuple[float, float]]], gap: float
) -> None:
    """Over all paths, weighed by their chances. So by Ville 1/alpha is reached with a chance of alpha at most."""
    null, chances = truth
    expected = 0.0
    for path in product(chances, repeat=STEPS):
        weight = 1.0
        for _, chance in path:
            weight *= chance
        expected += weight * observed_all([value for value, _ in path], Bets(null, null + gap)).e_value
    assert expected <= 1.0 + 1e-9


@given(truths())
def test_no_alarm_level_can_be_expected_beyond_the_number_of_observations(
    truth: tuple[float, list[tuple[float, float]]],
) -> None:
    """The mirror image: where the mean is at least `null`. So the mean time to a false alarm is its level or more."""
    null, chances = truth
    watch = Watch(-null)
    expected = 0.0
    for path in product(chances, repeat=STEPS):
        weight, alarm = 1.0, Alarm()
        for value, chance in path:
            weight *= chance
            alarm = watched(alarm, -value, watch)
        expected += weight * alarm.level
    assert expected <= STEPS + 1e-9


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcd"),
            st.integers(0, 400),
            st.none() | st.sampled_from([-1.0, 0.0, 1.0]),
            st.integers(0, 900),
        ),
        max_size=25,
    ),
    st.lists(st.integers(0, 2_000), max_size=6),
)
def test_when_one_looks_changes_nothing_of_what_counts(
    rows: list[tuple[str, int, float | None, int]], looks: list[int]
) -> None:
    patience = Patience(session_ms=100, outcome_ms=300)
    pairs = [
        Pair(session_id=name, enrolled_ms=at, difference=value, graded_ms=None if value is None else at + after)
        for name, at, value, after in rows
    ]
    once = counted(pairs, 10_000, patience)
    seen, done = [], set()
    for now_ms in [*sorted(looks), 10_000]:
        known = [
            Pair(
                session_id=pair.session_id,
                enrolled_ms=pair.enrolled_ms,
                difference=pair.difference if pair.graded_ms is not None and pair.graded_ms <= now_ms else None,
                graded_ms=pair.graded_ms,
            )
            for pair in pairs
            if pair.enrolled_ms <= now_ms and pair.session_id not in done
        ]
        fresh = counted(known, now_ms, patience)
        seen += fresh
        done |= {one.session_id for one in fresh}
    assert seen == once


SOURCES: tuple[Source, ...] = ("declared", "public", "measured", "learned", "live")
FINDINGS = st.builds(
    lambda model, task, source, mean, weight, at_ms: Finding(
        subject=Subject(model, task), source=source, mean=mean, weight=weight, at_ms=at_ms
    ),
    st.sampled_from("abc"),
    st.sampled_from("tu"),
    st.sampled_from(SOURCES),
    st.floats(0.0, 1.0),
    st.floats(0.0, 1e5),
    st.none() | st.integers(0, 10**12),
)


@given(st.lists(FINDINGS, max_size=12))
def test_an_estimate_lies_in_its_interval_and_that_between_nothing_and_one(findings: list[Finding]) -> None:
    now_ms = 10**12
    of = means(findings, now_ms)
    for model, task in product("abc", "tu"):
        own = [one for one in findings if one.subject == Subject(model, task)]
        found = estimate(Subject(model, task), own, of, now_ms)
        assert 0.0 <= found.low <= found.mean + 1e-9
        assert found.mean <= found.high + 1e-9
        assert found.high <= 1.0
