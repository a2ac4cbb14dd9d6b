"""Laws of money that is held: no interleaving overspends, sums balance, all or none, nothing is stranded or lost."""

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bascule.decide.budget import BudgetIndex
from bascule.decide.window import span, window_id
from bascule.model.budget import Attribution, Hold
from bascule.model.errors import Refusal
from bascule.model.policy import Budget
from bascule.storage.memory.authority import MemoryAuthority

START = 1_795_262_400_000  # 2026-11-21T12:00 UTC
SCOPES = ("org:o", "team:t1", "team:*", "key:k1", "key:k2", "user:*", "user:u1", "session:*", "tag:a=x", "tag:a=*")
BUDGETS = st.lists(
    st.builds(
        Budget,
        scope=st.sampled_from(SCOPES),
        limit_nanousd=st.integers(0, 1_000),
        window=st.sampled_from(("hour", "week", "total")),
        mode=st.sampled_from(("strict", "strict", "strict", "expected", "warn")),
        on_exhausted=st.sampled_from(("refuse", "degrade", "finish_session")),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda b: (b.scope, b.window),
).map(tuple)
WHO = st.builds(
    Attribution,
    key=st.sampled_from(("k1", "k2")),
    org=st.sampled_from(("o", None)),
    team=st.sampled_from(("t1", "t2")),
    user=st.sampled_from(("u1", None)),
    session_id=st.sampled_from(("s1", "s2", None)),
    tags=st.sampled_from(({}, {"a": "x"}, {"a": "y", "b": "x"})),
)


class Books:
    """What the ledger would say: every attempt with who it was for, when it was held and what it cost."""

    def __init__(self) -> None:
        self.settled: list[tuple[Attribution, int, int]] = []

    def spent(self, scope: str, bounds: tuple[int, int | None]) -> int:
        start_ms, end_ms = bounds
        index = BudgetIndex((Budget(scope=scope, limit_nanousd=0, window="total"),))
        return sum(
            cost
            for who, at_ms, cost in self.settled
            if index.matching(who) and start_ms <= at_ms and (end_ms is None or at_ms < end_ms)
        )


class HeldMoney(RuleBasedStateMachine):
    """Any interleaving of reserve, settle, reload and time, over nested scopes, against the books."""

    @initialize(budgets=BUDGETS, max_counters=st.sampled_from((2, 1000)), preloaded=st.booleans())
    def begin(self, budgets, max_counters, preloaded):
        self.books = Books()
        self.now_ms = START
        self.budgets = budgets
        self.authority = MemoryAuthority(budgets, self.books.spent, max_counters=max_counters)
        if preloaded:
            self.authority.preload({})  # nothing was spent before
        self.open: dict[str, tuple[Hold, Attribution, int, int]] = {}
        self.made = 0
        self.lowered = False

    @rule(who=WHO, amount=st.integers(0, 200))
    def reserve(self, who, amount):
        self.made += 1
        attempt_id = f"a{self.made}"
        before = self.authority.states(self.now_ms)
        applicable = self.authority.applicable(who, self.now_ms)
        outcome = self.authority.reserve(who, attempt_id, amount, self.now_ms)
        fits = all(s.mode == "warn" or amount == 0 or amount <= s.left_nanousd for s in applicable)
        if isinstance(outcome, Refusal):
            assert not fits
            assert outcome.needed_nanousd == amount
            assert outcome.left_nanousd is not None
            assert outcome.left_nanousd < amount
            after = {(s.scope, s.window_id): s for s in self.authority.states(self.now_ms)}
            for state in before:  # a counter that is gone held nothing
                now = after.get((state.scope, state.window_id))
                assert state.held_nanousd == (0 if now is None else now.held_nanousd)
            return
        assert fits
        expected = {(c, window_id(b.window, self.now_ms)) for b, c in BudgetIndex(self.budgets).matching(who)}
        assert {(h.scope, h.window_id) for h in outcome.held} == expected
        assert len(outcome.held) == len(expected)
        self.open[attempt_id] = (outcome, who, self.now_ms, amount)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), share=st.sampled_from((0.0, 0.3, 1.0, None)))
    def settle(self, data, share):
        hold, who, at_ms, amount = self.open.pop(data.draw(st.sampled_from(sorted(self.open))))
        cost = None if share is None else int(amount * share)
        self.authority.settle(hold, cost)
        self.books.settled.append((who, at_ms, amount if cost is None else cost))

    @precondition(lambda self: self.open)
    @rule(data=st.data(), share=st.floats(0, 1))
    def split(self, data, share):
        """A strategy's call takes its part: nothing becomes free by it, and nothing is held twice."""
        whole = data.draw(st.sampled_from(sorted(self.open)))
        hold, who, at_ms, amount = self.open[whole]
        self.made += 1
        part_id, taken = f"a{self.made}", int(amount * share)
        part, rest = self.authority.split(hold, part_id, taken)
        self.open[part_id] = (part, who, at_ms, taken)
        self.open[whole] = (rest, who, at_ms, amount - taken)

    @rule(step_ms=st.sampled_from((1, 3_600_000, 3_700_000, 9 * 86_400_000)))
    def pass_time(self, step_ms):
        self.now_ms += step_ms

    @rule(budgets=BUDGETS)
    def reload(self, budgets):
        self.budgets = budgets
        self.lowered = True
        self.authority.configure(budgets)

    @invariant()
    def sums_balance(self):
        """Each counter equals the books: settled by attempts of its scope and window, held by those still open."""
        for state in self.authority.states(self.now_ms):
            index = BudgetIndex((Budget(scope=state.scope, limit_nanousd=0, window="total"),))
            kind = next(
                b.window
                for b in BudgetIndex(self.budgets).on(state.scope)
                if window_id(b.window, self.now_ms) == state.window_id
            )
            window = span(kind, self.now_ms)
            inside = [
                amount
                for _, who, at_ms, amount in self.open.values()
                if index.matching(who) and window.start_ms <= at_ms and (window.end_ms is None or at_ms < window.end_ms)
            ]
            assert state.settled_nanousd == self.books.spent(state.scope, (window.start_ms, window.end_ms))
            assert state.held_nanousd == sum(inside)

    @invariant()
    def strict_caps_hold(self):
        if self.lowered:
            return  # a limit lowered below what is spent already stays exceeded; nothing more is let in
        for state in self.authority.states(self.now_ms):
            if state.mode != "warn":
                assert state.settled_nanousd + state.held_nanousd <= state.limit_nanousd

    @invariant()
    def open_holds_are_those_in_flight(self):
        assert self.authority.open_holds == len(self.open)

    def teardown(self):
        if not hasattr(self, "authority"):
            return
        for hold, *_ in self.open.values():
            self.authority.settle(hold, 0)
        assert self.authority.open_holds == 0
        assert all(s.held_nanousd == 0 for s in self.authority.states(self.now_ms))


TestHeldMoney = HeldMoney.TestCase
TestHeldMoney.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)


@given(
    st.lists(st.tuples(st.integers(0, 3 * 3_600_000), st.integers(0, 3 * 3_600_000), st.integers(0, 50)), max_size=40)
)
def test_roll_over_loses_nothing(attempts):
    """Hold and settle at any times around two roll-overs: each hour's sum is that of the holds taken in it."""
    authority = MemoryAuthority((Budget(scope="key:k", limit_nanousd=10**6, window="hour"),), lambda *_: 0)
    who = Attribution(key="k")
    expected: dict[str, int] = defaultdict(int)
    events = []
    for number, (start, duration, cost) in enumerate(attempts):
        events += [(start, 0, number), (start + duration, 1, number)]
        expected[window_id("hour", START + start)] += cost
    holds = {}
    for at, ends, number in sorted(events):
        if ends:
            authority.settle(holds[number], attempts[number][2])
        else:
            holds[number] = authority.reserve(who, str(number), 60, START + at)
    counted = {c.span.id: c.settled for c in authority._counters.values() if c.settled}
    pruned = {w for w in expected if w not in counted}
    assert counted == {w: s for w, s in expected.items() if s and w not in pruned}
    last_start = START + max((at for at, ends, _ in events if not ends), default=0)
    for window in pruned:
        assert expected[window] == 0 or window < window_id("hour", last_start)


def test_concurrent_holds_on_one_cent_spend_no_more_than_a_cent():
    """300 in flight at once, each costing its whole hold: the cap holds, and what is left is less than one hold."""
    cent, amount = 10_000_000, 70_001
    authority = MemoryAuthority((Budget(scope="key:k", limit_nanousd=cent, window="day"),), lambda *_: 0)
    outcomes = [authority.reserve(Attribution(key="k"), str(n), amount, START) for n in range(300)]
    holds = [o for o in outcomes if isinstance(o, Hold)]
    for hold in holds:
        authority.settle(hold, amount)
    assert cent - amount < len(holds) * amount <= cent
