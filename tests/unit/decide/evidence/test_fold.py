import pytest

from bascule.decide.evidence.finding import Estimate, Finding, Source, Subject
from bascule.decide.evidence.fold import estimate, expected, means, weight_of

DAY_MS = 86_400_000
NOW_MS = 1_000 * DAY_MS


def found(
    model: str,
    task: str,
    mean: float,
    weight: float,
    *,
    source: Source = "measured",
    snapshot: str | None = None,
    fingerprint: str | None = None,
    age_days: int = 0,
) -> Finding:
    subject = Subject(model, task, snapshot, fingerprint)
    return Finding(subject=subject, source=source, mean=mean, weight=weight, at_ms=NOW_MS - age_days * DAY_MS)


def of(subject: Subject, findings: list[Finding]) -> Estimate:
    own = [one for one in findings if (one.subject.model, one.subject.task) == (subject.model, subject.task)]
    return estimate(subject, own, means(findings, NOW_MS), NOW_MS)


def test_what_is_declared_is_its_own_interval() -> None:
    declared = found("a", "t", 0.88, 0, source="declared")
    one = of(Subject("a", "t"), [declared])
    assert (one.mean, one.low, one.high, one.source, one.refuted) == (0.88, 0.88, 0.88, "declared", False)


def test_observations_that_agree_leave_it_and_many_that_do_not_refute_it() -> None:
    declared = found("a", "t", 0.88, 0, source="declared")
    few_bad = of(Subject("a", "t"), [declared, found("a", "t", 0.6, 5, source="live")])
    assert (few_bad.low, few_bad.refuted) == (0.88, False)
    many_bad = of(Subject("a", "t"), [declared, found("a", "t", 0.6, 200, source="live")])
    assert many_bad.refuted
    assert many_bad.low < many_bad.mean < 0.66
    assert many_bad.source == "live"
    better = of(Subject("a", "t"), [declared, found("a", "t", 0.97, 2_000)])
    assert better.low > 0.95
    assert better.source == "measured"


def test_who_is_untried_has_a_wide_interval_around_its_like() -> None:
    findings = [found(model, "t", 0.8, 100) for model in "bcde"]
    new = of(Subject("a", "t"), findings)
    assert 0.7 < new.mean < 0.82
    assert new.low < 0.55
    assert (new.observations, new.source) == (0.0, None)
    assert of(Subject("a", "t"), []).mean == pytest.approx(0.5)


def test_two_hundred_labelled_prompts_make_a_new_model_known() -> None:
    findings = [found(model, "t", 0.6, 500) for model in "bcde"]
    known = of(Subject("a", "t"), [*findings, found("a", "t", 0.9, 200)])
    assert 0.87 < known.mean < 0.9
    assert known.high - known.low < 0.08


def test_a_model_that_is_good_elsewhere_is_expected_to_be_good_here() -> None:
    findings = [found(model, task, 0.6, 200) for model in "bc" for task in ("t", "u", "v")]
    findings += [found("a", task, 0.9, 200) for task in ("u", "v")]
    good = expected("a", "t", means(findings, NOW_MS))
    assert 0.7 < good < 0.9
    assert expected("z", "t", means(findings, NOW_MS)) < 0.63


def test_a_cell_is_not_expected_from_itself() -> None:
    findings = [found(model, "t", 0.6, 200) for model in "bc"]
    with_own = [*findings, found("a", "t", 1.0, 200)]
    assert expected("a", "t", means(with_own, NOW_MS)) == pytest.approx(expected("a", "t", means(findings, NOW_MS)))


def test_expectations_that_do_well_count_for_more() -> None:
    alike = [found(model, task, 0.7, 400) for model in "abcd" for task in ("t", "u")]
    unlike = [
        found(model, task, 0.95 if (ord(model) + ord(task)) % 2 else 0.45, 400)
        for model in "abcd"
        for task in ("t", "u")
    ]
    assert means(alike, NOW_MS).expectation > 5 * means(unlike, NOW_MS).expectation


def test_a_new_snapshot_or_prompt_starts_anew_from_what_the_old_one_was() -> None:
    old = found("a", "t", 0.9, 1_000, source="live", snapshot="v1", fingerprint="p1")
    same = of(Subject("a", "t", "v1", "p1"), [old])
    for subject in (Subject("a", "t", "v2", "p1"), Subject("a", "t", "v1", "p2")):
        changed = of(subject, [old])
        assert changed.observations == 0.0
        assert changed.low < 0.65 < 0.75 < changed.mean < same.mean
    general = found("a", "t", 0.9, 100)  # names neither, and was found of all
    assert of(Subject("a", "t", "v2", "p2"), [general]).observations == 100


def test_public_scores_say_little_and_less_with_age() -> None:
    new, old = found("a", "t", 0.9, 5_000, source="public"), found("a", "t", 0.9, 5_000, source="public", age_days=365)
    assert (weight_of(new, NOW_MS), weight_of(old, NOW_MS)) == (25.0, 12.5)
    undated = Finding(subject=Subject("a", "t"), source="public", mean=0.9, weight=5_000)
    assert weight_of(undated, NOW_MS) < 2
    assert of(Subject("a", "t"), [new]).low < 0.8


@pytest.mark.parametrize(("mean", "weight"), [(1.1, 1), (-0.1, 1), (0.5, -1), (float("nan"), 1)])
def test_what_is_no_quality_is_refused(mean: float, weight: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        found("a", "t", mean, weight)
