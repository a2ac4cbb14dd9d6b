from bascule.decide.outlier import OutlierPolicy, Shown, outliers, percentile

POLICY = OutlierPolicy()


def shown(first_s: float = 0.5, *, failed: float = 0.0, outcomes: float = 30.0) -> Shown:
    return Shown(outcomes=outcomes, failed=failed, first_s=[first_s] * 30)


def test_who_is_far_slower_than_its_peers_is_last() -> None:
    assert outliers({"a": shown(), "b": shown(), "c": shown(6.0)}, POLICY) == {"c"}


def test_it_takes_both_the_factor_and_the_seconds() -> None:
    assert outliers({"a": shown(0.1), "b": shown(0.5)}, POLICY) == frozenset()
    assert outliers({"a": shown(5.0), "b": shown(7.0)}, POLICY) == frozenset()


def test_who_fails_far_more_often_is_last() -> None:
    assert outliers({"a": shown(), "b": shown(failed=9.0)}, POLICY) == {"b"}
    assert outliers({"a": shown(failed=27.0), "b": shown(failed=28.0)}, POLICY) == frozenset()


def test_at_most_half_and_never_the_last_one() -> None:
    assert outliers({"a": shown(9.0)}, POLICY) == frozenset()
    bad = {"a": shown(failed=30.0), "b": shown(failed=20.0), "c": shown()}
    assert outliers(bad, POLICY) == {"a"}


def test_who_is_hardly_known_is_not_compared() -> None:
    assert outliers({"a": shown(), "b": shown(9.0, outcomes=19.0)}, POLICY) == frozenset()
    few = Shown(outcomes=30.0, failed=0.0, first_s=[9.0] * 5)
    assert outliers({"a": shown(), "b": few}, POLICY) == frozenset()


def test_percentiles_are_nearest_ranks() -> None:
    values = [float(value) for value in range(1, 101)]
    assert (percentile(values, 0.95), percentile(values, 0.5), percentile(values, 1.0)) == (95.0, 50.0, 100.0)
    assert percentile([3.0], 0.95) == 3.0
