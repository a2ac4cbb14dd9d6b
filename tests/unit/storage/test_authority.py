import pytest

from bascule.decide.budget import tightest
from bascule.model.budget import Attribution, Hold
from bascule.model.entry import HeldScope
from bascule.model.errors import BasculeError, Refusal
from bascule.model.policy import Budget
from bascule.ports import Authority
from bascule.storage.memory.authority import MemoryAuthority

HOUR = 3_600_000
NOON = 1_795_262_400_000  # 2026-11-21T12:00 UTC
CI = Attribution(key="ci", team="web", user="ann", session_id="s1")


def budget(scope: str, limit: int = 100, **changes) -> Budget:
    return Budget(**{"scope": scope, "limit_nanousd": limit, "window": "day", **changes})


def nothing_spent(scope, bounds):
    return 0


def authority(*budgets: Budget, spent=nothing_spent, **limits) -> MemoryAuthority:
    return MemoryAuthority(budgets, spent, **limits)


def held(outcome) -> Hold:
    assert isinstance(outcome, Hold)
    return outcome


def refused(outcome) -> Refusal:
    assert isinstance(outcome, Refusal)
    return outcome


def sums(a: MemoryAuthority, now_ms: int = NOON) -> dict[tuple[str, str], tuple[int, int]]:
    return {(s.scope, s.window_id): (s.settled_nanousd, s.held_nanousd) for s in a.states(now_ms)}


def test_is_an_authority():
    port: Authority = authority()
    assert port.states(NOON) == ()


def test_where_no_budget_applies_everything_is_held_and_nothing_counted():
    a = authority(budget("key:other"))
    assert a.applicable(CI, NOON) == ()
    hold = held(a.reserve(CI, "a1", None, NOON))
    assert hold.held == ()
    assert hold.amount_nanousd is None
    assert a.open_holds == 1
    a.settle(hold, None)
    assert a.open_holds == 0


def test_a_hold_is_taken_from_every_scope_and_replaced_by_its_cost():
    a = authority(budget("team:web", 1_000, window="month"), budget("key:ci"), budget("user:*", 500))
    hold = held(a.reserve(CI, "a1", 60, NOON))
    assert hold.held == (
        HeldScope("team:web", "2026-11"),
        HeldScope("key:ci", "2026-11-21"),
        HeldScope("user:ann", "2026-11-21"),
    )
    assert set(sums(a).values()) == {(0, 60)}
    a.settle(hold, 25)
    assert set(sums(a).values()) == {(25, 0)}
    assert [s.left_nanousd for s in a.applicable(CI, NOON)] == [975, 75, 475]


def test_all_scopes_or_none():
    a = authority(budget("team:web", 1_000), budget("key:ci", 50), budget("user:*", 20))
    refusal = refused(a.reserve(CI, "a1", 30, NOON))
    assert (refusal.scope, refusal.needed_nanousd, refusal.left_nanousd) == ("user:ann", 30, 20)
    assert set(sums(a).values()) == {(0, 0)}
    assert a.open_holds == 0


def test_holds_of_a_small_budget_follow_one_another():
    a = authority(budget("key:ci", 100))
    first = held(a.reserve(CI, "a1", 100, NOON))
    assert refused(a.reserve(CI, "a2", 100, NOON)).left_nanousd == 0
    a.settle(first, 10)
    second = held(a.reserve(CI, "a2", 90, NOON))
    a.settle(second, 90)
    assert refused(a.reserve(CI, "a3", 1, NOON)).http_status == 402


def test_what_costs_nothing_is_served_when_nothing_is_left():
    a = authority(budget("key:ci", 10))
    a.settle(held(a.reserve(CI, "a1", 10, NOON)), 10)
    a.settle(held(a.reserve(CI, "free", 0, NOON)), 0)


def test_an_unknown_bill_settles_at_the_hold():
    a = authority(budget("key:ci"))
    a.settle(held(a.reserve(CI, "a1", 40, NOON)), None)
    assert sums(a) == {("key:ci", "2026-11-21"): (40, 0)}


def test_settling_twice_or_out_of_the_blue_is_an_error():
    a = authority(budget("key:ci"))
    hold = held(a.reserve(CI, "a1", 40, NOON))
    a.settle(hold, 10)
    with pytest.raises(BasculeError, match="a1"):
        a.settle(hold, 10)
    with pytest.raises(BasculeError):
        a.settle(Hold(attempt_id="ghost", amount_nanousd=1, held=()), 0)
    assert sums(a) == {("key:ci", "2026-11-21"): (10, 0)}


def test_a_negative_cost_is_an_error_and_the_hold_stays():
    a = authority(budget("key:ci"))
    hold = held(a.reserve(CI, "a1", 40, NOON))
    with pytest.raises(BasculeError):
        a.settle(hold, -1)
    assert a.open_holds == 1
    a.settle(hold, 1)


def test_an_attempt_holds_once():
    a = authority(budget("key:ci"))
    held(a.reserve(CI, "a1", 40, NOON))
    with pytest.raises(BasculeError):
        a.reserve(CI, "a1", 40, NOON)


def test_an_unknown_price_is_refused_unless_budgets_only_warn():
    strict, warn = authority(budget("key:ci")), authority(budget("key:ci", mode="warn"))
    refusal = refused(strict.reserve(CI, "a1", None, NOON))
    assert refusal.kind == "unpriceable"
    assert refusal.scope == "key:ci"
    a = held(warn.reserve(CI, "a1", None, NOON))
    warn.settle(a, 30)
    assert sums(warn) == {("key:ci", "2026-11-21"): (30, 0)}


def test_warn_counts_and_never_refuses():
    a = authority(budget("key:ci", 10, mode="warn"))
    a.settle(held(a.reserve(CI, "a1", 100, NOON)), 100)
    assert a.applicable(CI, NOON)[0].left_nanousd == -90


def test_expected_shows_by_how_much_it_was_exceeded():
    a = authority(budget("key:ci", 100, mode="expected"))
    first, second = held(a.reserve(CI, "a1", 50, NOON)), held(a.reserve(CI, "a2", 50, NOON))
    a.settle(first, 80)
    a.settle(second, 60)
    assert a.applicable(CI, NOON)[0].left_nanousd == -40
    assert refused(a.reserve(CI, "a3", 1, NOON)).left_nanousd == 0


def test_two_limits_on_one_counter_hold_once():
    a = authority(budget("user:*", 100), budget("user:ann", 60))
    hold = held(a.reserve(CI, "a1", 50, NOON))
    assert hold.held == (HeldScope("user:ann", "2026-11-21"),)
    assert refused(a.reserve(CI, "a2", 20, NOON)).left_nanousd == 10
    bob = Attribution(key="ci", user="bob")
    assert refused(a.reserve(bob, "a3", 101, NOON)).left_nanousd == 100
    held(a.reserve(bob, "a4", 100, NOON))


def test_a_late_settlement_goes_to_the_window_of_its_hold():
    a = authority(budget("key:ci", 100, window="hour"))
    late = held(a.reserve(CI, "a1", 80, NOON + HOUR - 1))
    assert late.held[0].window_id == "2026-11-21T12"
    assert a.applicable(CI, NOON + HOUR)[0].left_nanousd == 100
    fresh = held(a.reserve(CI, "a2", 100, NOON + HOUR))
    assert fresh.held[0].window_id == "2026-11-21T13"
    a.settle(late, 70)
    assert sums(a, NOON + HOUR) == {("key:ci", "2026-11-21T13"): (0, 100)}
    assert sums(a, NOON) == {("key:ci", "2026-11-21T12"): (70, 0)}


def test_past_windows_are_forgotten_once_nothing_is_held():
    a = authority(budget("key:ci", window="hour"), budget("user:*", window="hour"))
    stuck = held(a.reserve(CI, "stuck", 10, NOON))
    for number in range(500):
        a.settle(held(a.reserve(Attribution(key="ci", user=f"u{number}"), f"a{number}", 0, NOON)), 0)
    a.applicable(CI, NOON + 2 * HOUR)
    assert len(a._counters) == 4  # ann's and the key's old ones, held; their new ones
    a.settle(stuck, 10)
    a.applicable(CI, NOON + 4 * HOUR)
    assert len(a._counters) == 2


def test_a_clock_set_back_into_a_forgotten_window_finds_its_spend_in_the_ledger():
    ledger = {}
    a = authority(budget("key:ci", 100, window="hour"), spent=lambda scope, bounds: ledger.get((scope, bounds), 0))
    a.settle(held(a.reserve(CI, "a1", 90, NOON)), 90)
    ledger["key:ci", (NOON, NOON + HOUR)] = 90
    for hours in range(1, 4):
        a.applicable(CI, NOON + hours * HOUR)
    assert ("key:ci", "2026-11-21T12") not in a._counters
    assert refused(a.reserve(CI, "a2", 20, NOON)).left_nanousd == 10


def test_counters_are_bounded_and_come_back_from_the_ledger():
    ledger: dict[str, int] = {}
    a = authority(
        budget("session:*", 100, window="total"), spent=lambda scope, _: ledger.get(scope, 0), max_counters=50
    )
    for number in range(1_000):
        who = Attribution(session_id=f"s{number}")
        a.settle(held(a.reserve(who, f"a{number}", 60, NOON + number)), 60)
        ledger[f"session:s{number}"] = 60
        assert len(a._counters) <= 60
    assert refused(a.reserve(Attribution(session_id="s0"), "again", 60, NOON + 5_000)).left_nanousd == 40


def test_counters_that_hold_are_never_dropped():
    a = authority(budget("session:*", 100, window="total"), max_counters=10)
    holds = [held(a.reserve(Attribution(session_id=f"s{n}"), f"a{n}", 60, NOON)) for n in range(100)]
    for hold in holds:
        a.settle(hold, 50)
    a.applicable(CI, NOON + 1)
    assert len(a._counters) <= 12


def test_sums_of_the_ledger_are_taken_over_at_start():
    asked = []
    a = authority(budget("key:ci", 100), budget("user:*", 100), spent=lambda *q: asked.append(q) or 0)
    a.preload({("key:ci", "2026-11-21"): (70, 10), ("user:ann", "2026-11-20"): (99, 0)})
    assert refused(a.reserve(CI, "a1", 30, NOON)).left_nanousd == 20
    held(a.reserve(CI, "a2", 20, NOON))
    assert asked == []  # the sums were complete: ann has spent nothing today
    with pytest.raises(BasculeError):
        a.preload({})


def test_without_preloaded_sums_the_ledger_is_asked_once_per_counter():
    asked = []

    def spent(scope, bounds):
        asked.append((scope, bounds))
        return 40

    a = authority(budget("key:ci", 100), spent=spent)
    assert a.applicable(CI, NOON)[0].left_nanousd == 60
    a.applicable(CI, NOON + HOUR)
    a.applicable(CI, NOON + 24 * HOUR)  # a window that was watched from its start
    assert asked == [("key:ci", (NOON - 12 * HOUR, NOON + 12 * HOUR))]
    assert a.applicable(CI, NOON + 24 * HOUR)[0].left_nanousd == 100


def test_reload_changes_limits_and_keeps_what_was_spent():
    a = authority(budget("key:ci", 100), budget("team:web", 100))
    open_hold = held(a.reserve(CI, "a1", 30, NOON))
    a.settle(held(a.reserve(CI, "a2", 20, NOON)), 20)
    for _ in range(50):
        a.configure((budget("key:ci", 60, mode="expected"), budget("team:web", 100)))
    assert sums(a) == {("key:ci", "2026-11-21"): (20, 30), ("team:web", "2026-11-21"): (20, 30)}
    assert refused(a.reserve(CI, "a3", 20, NOON)).left_nanousd == 10
    a.settle(open_hold, 30)
    assert sums(a)["key:ci", "2026-11-21"] == (50, 0)


def test_a_budget_added_in_mid_window_knows_what_was_spent_and_what_is_in_flight():
    a = authority(budget("key:ci", 1_000), spent=lambda scope, _: 25 if scope == "user:ann" else 0)
    in_flight = held(a.reserve(CI, "a1", 30, NOON))
    elsewhere = held(a.reserve(Attribution(key="ci", user="bob"), "a2", 500, NOON))
    a.configure((budget("key:ci", 1_000), budget("user:*", 100)))
    assert sums(a)["key:ci", "2026-11-21"] == (0, 530)
    assert refused(a.reserve(CI, "a3", 46, NOON + 1)).left_nanousd == 45
    a.settle(in_flight, 10)
    a.settle(elsewhere, 500)
    assert sums(a)["user:ann", "2026-11-21"] == (35, 0)


def test_a_budget_taken_away_and_given_back_asks_the_ledger_again():
    ledger = {"key:ci": 0}
    a = authority(budget("key:ci", 100), spent=lambda scope, _: ledger[scope])
    a.settle(held(a.reserve(CI, "a1", 30, NOON)), 30)
    a.configure(())
    a.settle(held(a.reserve(CI, "a2", 50, NOON)), 50)
    ledger["key:ci"] = 80
    a.configure((budget("key:ci", 100),))
    assert refused(a.reserve(CI, "a3", 21, NOON)).left_nanousd == 20


def test_a_bad_reload_leaves_everything_as_it_was():
    a = authority(budget("key:ci", 100))
    a.settle(held(a.reserve(CI, "a1", 30, NOON)), 30)
    with pytest.raises(ValueError, match="scope"):
        a.configure((budget("nonsense"),))
    assert a.applicable(CI, NOON)[0].left_nanousd == 70


def test_states_show_named_budgets_before_their_first_request():
    a = authority(budget("key:ci"), budget("user:*"), budget("tag:a=*"))
    assert sums(a) == {("key:ci", "2026-11-21"): (0, 0)}


def test_finish_session_lets_running_sessions_use_the_last_tenth():
    a = authority(budget("key:ci", 1_000, on_exhausted="finish_session"))
    a.settle(held(a.reserve(CI, "a1", 880, NOON)), 880)
    newcomer = Attribution(key="ci", session_id="s2")
    assert refused(a.reserve(newcomer, "a2", 50, NOON)).left_nanousd == 20
    assert refused(a.reserve(Attribution(key="ci"), "a3", 50, NOON)).left_nanousd == 20
    assert tightest(a.applicable(newcomer, NOON)).left_nanousd == 20  # type: ignore[union-attr]
    assert tightest(a.applicable(CI, NOON)).left_nanousd == 120  # type: ignore[union-attr]
    a.settle(held(a.reserve(CI, "a4", 120, NOON)), 120)
    assert refused(a.reserve(CI, "a5", 1, NOON)).left_nanousd == 0


@pytest.mark.parametrize("spent", [0, 900])
def test_a_request_that_costs_nothing_does_not_make_its_session_a_running_one(spent):
    a = authority(budget("key:ci", 1_000, on_exhausted="finish_session"))
    a.settle(held(a.reserve(CI, "a1", 900, NOON)), spent)
    newcomer = Attribution(key="ci", session_id="s2")
    a.settle(held(a.reserve(newcomer, "a2", 0, NOON)), 0)
    assert tightest(a.applicable(newcomer, NOON)).left_nanousd == 900 - spent  # type: ignore[union-attr]
    assert refused(a.reserve(newcomer, "a3", 901 - spent, NOON)).left_nanousd == 900 - spent
    held(a.reserve(CI, "a4", 1_000 - spent, NOON))


def test_finish_session_recognises_a_running_session_after_a_restart():
    a = authority(
        budget("key:ci", 1_000, on_exhausted="finish_session"),
        spent=lambda scope, _: {"key:ci": 950, "session:s1": 3}.get(scope, 0),
    )
    assert refused(a.reserve(Attribution(key="ci", session_id="s9"), "a1", 10, NOON)).left_nanousd == 0
    held(a.reserve(CI, "a2", 50, NOON))


def test_one_of_several_workers_never_asks_the_ledger_while_a_request_waits():
    def asked(*_: object) -> int:
        raise AssertionError("the store may be frozen")

    a = MemoryAuthority((), asked, shared=True)
    a.configure((budget("key:ci", 1_000, on_exhausted="finish_session"), budget("session:*")))
    key, _ = a.applicable(CI, NOON)
    assert key.reserved_nanousd == 100


def test_degrade_is_told_by_the_states():
    a = authority(budget("key:ci", 100, on_exhausted="degrade"))
    (state,) = a.applicable(CI, NOON)
    assert (state.on_exhausted, state.left_nanousd) == ("degrade", 100)


def test_the_budget_of_a_user_starts_anew_on_the_stroke_of_the_hour():
    a = authority(budget("user:*", 100, window="hour"))
    a.settle(held(a.reserve(CI, "a1", 100, NOON + HOUR - 1)), 100)
    refused(a.reserve(CI, "a2", 1, NOON + HOUR - 1))
    assert held(a.reserve(CI, "a3", 100, NOON + HOUR)).held == (HeldScope("user:ann", "2026-11-21T13"),)


def test_parts_of_a_hold_are_held_where_the_whole_was_and_settled_by_themselves():
    a = authority(budget("team:web", 1_000, window="month"), budget("key:ci"))
    whole = held(a.reserve(CI, "all", 90, NOON))
    part, rest = a.split(whole, "a1", 60)
    assert (part.amount_nanousd, rest.amount_nanousd) == (60, 30)
    assert part.held == rest.held == whole.held
    assert set(sums(a).values()) == {(0, 90)}
    a.settle(part, 25)
    assert set(sums(a).values()) == {(25, 30)}
    last, nothing = a.split(rest, "a2", 30)
    a.settle(last, None)
    a.settle(nothing, 0)
    assert set(sums(a).values()) == {(55, 0)}
    assert a.open_holds == 0


def test_a_part_cannot_be_larger_than_the_whole_nor_taken_twice_nor_of_nothing():
    a = authority(budget("key:ci"))
    whole = held(a.reserve(CI, "all", 90, NOON))
    with pytest.raises(BasculeError, match="91 of 90"):
        a.split(whole, "a1", 91)
    _, rest = a.split(whole, "a1", 10)
    with pytest.raises(BasculeError, match="already holds money"):
        a.split(rest, "a1", 10)
    a.settle(rest, 0)
    with pytest.raises(BasculeError, match="holds no known amount"):
        a.split(rest, "a2", 10)


def test_a_part_of_a_hold_that_was_there_before_its_counter_is_counted_as_the_whole_is():
    """A budget made while money is held adopts the hold; another gateway must not take its part for spent before."""
    a = MemoryAuthority((), nothing_spent, shared=True)
    whole = held(a.reserve(CI, "all", 40, NOON))
    a.configure((budget("key:ci"),))
    (counter,) = a.counters(CI, NOON)
    a.split(whole, "a1", 15)
    assert set(counter.adopted) == {"all", "a1"}
    assert counter.held == 40
