from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bascule.model.money import Rates
from bascule.model.row import AttemptRow
from bascule.offline.dimensions import NAMES, dimension, market_of
from bascule.offline.percentile import percentile
from bascule.offline.report import report
from bascule.offline.spread import spread
from bascule.offline.sums import TOKENS

rows = st.lists(
    st.builds(
        AttemptRow,
        kind=st.sampled_from(["settle", "settle", "intent"]),
        attempt_id=st.uuids().map(str),
        request_id=st.sampled_from(["r1", "r2", "r3", "r4"]),
        session_id=st.sampled_from([None, "s1", "s2"]),
        attempt_no=st.integers(0, 4),
        role=st.sampled_from(["primary", "retry", "judge", "cache"]),
        model=st.sampled_from([None, "a", "b"]),
        team=st.sampled_from([None, "t"]),
        tags=st.sampled_from([{}, {"k": "v"}, {"k": "w"}]),
        error_class=st.sampled_from([None, "reset", "client_gone"]),
        status=st.sampled_from([None, 200, 500]),
        ts_start_ms=st.integers(0, 10**12),
        tokens_in=st.none() | st.integers(0, 10**9),
        tokens_reasoning=st.none() | st.integers(0, 10**9),
        cost_nanousd=st.none() | st.integers(-(10**6), 10**15),
        hold_nanousd=st.none() | st.integers(0, 10**12),
        usage_source=st.sampled_from(["reported", "estimated", "none"]),
        saved_nanousd=st.none() | st.integers(-(10**12), 10**12),
        chain=st.just(""),
    ),
    max_size=30,
).map(lambda made: sorted(made, key=lambda row: (row.request_id, row.attempt_id)))

ADD_UP = (
    "attempts", "failed_attempts", "aborted_attempts", "open_attempts", "retries", "cache_hits", "unpriced_attempts",
    "held_nanousd", "estimated_nanousd", "retry_cost_nanousd", "failed_cost_nanousd", "cost_nanousd",
    "saved_nanousd", "saved_cost_nanousd", *TOKENS,
)  # fmt: skip


@given(rows, st.sampled_from(["model", "team", "session", "tag:k", "day", "market", "role"]))
def test_groups_add_up_to_the_total_and_the_total_to_the_rows(found: list[AttemptRow], name: str) -> None:
    made = report(found, [dimension(name)])
    for field in ADD_UP:
        parts = [getattr(group.figures.sums, field) for group in made.groups]
        known = [part for part in parts if part is not None]
        total = getattr(made.total.sums, field)
        assert total == (sum(known) if known else None) or (not found and total in (0, None))
    settled = [row for row in found if row.kind == "settle"]
    costs = [row.cost_nanousd for row in settled if row.cost_nanousd is not None]
    assert made.total.sums.cost_nanousd == (sum(costs) if costs else None)
    assert made.total.sums.unpriced_attempts == len(settled) - len(costs)
    assert made.total.sums.requests == len({row.request_id for row in found})


@given(rows)
def test_every_row_is_in_one_group_of_two_dimensions(found: list[AttemptRow]) -> None:
    made = report(found, [dimension("model"), dimension("team")])
    expected = Counter((row.model, row.team) for row in found)
    assert {g.values: g.figures.sums.attempts + g.figures.sums.cache_hits for g in made.groups} == dict(expected)


@given(st.lists(st.integers(), min_size=1), st.integers(1, 100))
def test_a_percentile_is_a_value_and_covers_its_share(values: list[int], percent: int) -> None:
    found = percentile(sorted(values), percent)
    assert found in values
    assert 100 * sum(value <= found for value in values) >= percent * len(values)
    assert 100 * sum(value < found for value in values) < percent * len(values)


def test_no_values_have_no_percentile() -> None:
    assert percentile([], 50) is None


def test_spread_of_runs() -> None:
    found = spread([30, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    assert (found.runs, found.p10_nanousd, found.p50_nanousd, found.p90_nanousd) == (10, 1, 5, 9)
    assert found.p90_over_p10 == 9.0
    assert spread([5]).p90_over_p10 is None
    assert spread([0, 5]).p90_over_p10 is None


def test_markets_are_told_apart_by_price() -> None:
    assert market_of(Rates(input=140_000, output=280_000)) == "commodity"
    assert market_of(Rates(input=3_000_000, output=15_000_000)) == "premium"
    assert market_of(Rates(input=1_000_000, output=1_000_000)) == "premium"
    assert market_of(Rates(input=1)) is None
    assert market_of(None) is None


def test_all_names_of_the_interface() -> None:
    wanted = (
        "model", "provider", "team", "key", "user", "session", "agent", "task", "pr", "branch", "outcome", "market",
        "day", "org", "project",
    )  # fmt: skip
    for name in wanted:
        assert name in NAMES
        dimension(name)
