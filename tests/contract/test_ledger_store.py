"""One suite over every ledger store: whatever the reports and the drainer may rely on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec import structs

from bascule.decide.window import span
from bascule.model.chain import ChainHead
from bascule.model.entry import HeldScope, Line
from bascule.model.policy import Budget
from bascule.model.row import EVERY_ROW, AttemptRow, RowFilter
from bascule.model.usage import Usage
from bascule.ports import LedgerStore, Spent
from bascule.storage.memory.ledger import MemoryLedger
from bascule.storage.postgres.connect import PostgresDatabase
from bascule.storage.postgres.ledger import PostgresLedger
from bascule.storage.sqlite.connect import open_database
from bascule.storage.sqlite.ledger import SqliteLedger
from bascule.testing.ledger import NOON_MS, a_decision, a_settlement, an_adjustment, an_intent, chained

DAY = "2026-11-21"


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LedgerStore]:
    if request.param == "memory":
        yield MemoryLedger()
        return
    if request.param == "postgres":
        database = PostgresDatabase(request.getfixturevalue("postgres_url"))
        yield PostgresLedger(database)
        database.close()
        return
    database = open_database(tmp_path)
    yield SqliteLedger(database)
    database.close()


@pytest.fixture
def put(store: LedgerStore) -> Callable[..., None]:
    def put_all(*lines: Line, chain_id: str = "r-0-a") -> None:
        store.append(chain_id, chained(chain_id, lines))

    return put_all


def rows(store: LedgerStore, where: RowFilter = EVERY_ROW, by_request: bool = False) -> list[AttemptRow]:
    with store.snapshot() as snapshot:
        return list(snapshot.attempts(where, by_request=by_request))


def test_a_row_is_the_intent_joined_with_its_settlement(store, put):
    put(an_intent(1), a_settlement(1, service_tier="flex"))
    (row,) = rows(store)
    assert (row.kind, row.attempt_id, row.key, row.tags) == ("settle", "att-000001", "ci", {"feature": "search"})
    assert (row.tokens_in, row.tokens_out, row.tokens_reasoning, row.usage_source) == (100, 20, None, "reported")
    assert (row.cost_nanousd, row.hold_nanousd, row.saved_nanousd, row.service_tier) == (
        27_000,
        1_000_000,
        33_000,
        "flex",
    )
    assert row.held == (HeldScope("key:ci", DAY),)
    assert row.chain == chained("r-0-a", [an_intent(1), a_settlement(1, service_tier="flex")])[1].chain


def test_an_open_attempt_is_a_row_of_kind_intent_without_a_cost(store, put):
    put(an_intent(1))
    (row,) = rows(store)
    assert (row.kind, row.cost_nanousd, row.status, row.usage_source) == ("intent", None, None, "none")


def test_intent_and_settlement_may_come_in_different_groups(store):
    first, second, third = chained("r-0-a", [an_intent(1), an_intent(2), a_settlement(1)])
    store.append("r-0-a", [first, second])
    store.append("r-0-a", [third])
    assert [(row.attempt_id, row.kind) for row in rows(store)] == [("att-000001", "settle"), ("att-000002", "intent")]


@pytest.mark.parametrize("cut", range(5))
def test_repeats_change_nothing_however_the_groups_fell(store, cut):
    lines = chained("r-0-a", [an_intent(1), an_adjustment(1), a_settlement(1), a_decision(1)])
    store.append("r-0-a", lines[:cut])
    store.append("r-0-a", lines)
    store.append("r-0-a", lines[1:])
    (row,) = rows(store)
    assert (row.kind, row.cost_nanousd, row.adjusted_nanousd) == ("settle", 27_005, 5)
    with store.snapshot() as snapshot:
        assert [line.seq for line in snapshot.chain("r-0-a")] == [1, 2, 3, 4]
        assert len(snapshot.decisions("req-000001")) == 1
    assert store.heads() == {"r-0-a": ChainHead(4, lines[3].chain)}


def test_decisions_are_found_by_themselves_and_with_the_intent_that_follows(store):
    decided = structs.replace(an_intent(1), decided=a_decision(1))
    retry = an_intent(2, request_id="req-000001", attempt_no=2)
    store.append("r-0-a", chained("r-0-a", [decided, retry, an_intent(3), a_decision(4)]))
    with store.snapshot() as snapshot:
        found = {number: snapshot.decisions(f"req-{number:06d}") for number in (1, 2, 3, 4)}
    assert found == {1: [a_decision(1)], 2: [], 3: [], 4: [a_decision(4)]}


def test_the_first_settlement_stands_and_a_second_is_kept_apart(store, put):
    put(an_intent(1), a_settlement(1))
    put(a_settlement(1, cost_nanousd=5), chain_id="r-1-b")
    (row,) = rows(store)
    assert row.cost_nanousd == 27_000
    with store.snapshot() as snapshot:
        assert [line.kind for line in snapshot.chain("r-1-b")] == ["repeat-settle"]


def test_a_second_settlement_in_the_same_group_changes_nothing(store, put):
    put(an_intent(1), a_settlement(1), a_settlement(1, cost_nanousd=5))
    assert [row.cost_nanousd for row in rows(store)] == [27_000]


def test_more_lines_than_a_statement_takes(store, put):
    put(*[line for number in range(1, 101) for line in (an_intent(number), a_settlement(number))])
    assert [row.attempt_id for row in rows(store)] == [f"att-{number:06d}" for number in range(1, 101)]
    assert {row.kind for row in rows(store)} == {"settle"}


def test_adjustments_are_summed_into_cost_and_out_of_the_saving(store, put):
    put(an_intent(1), a_settlement(1), an_adjustment(1), an_adjustment(2, attempt_id="att-000001", delta_nanousd=-7))
    (row,) = rows(store)
    assert (row.cost_nanousd, row.adjusted_nanousd, row.saved_nanousd) == (26_998, -2, 33_002)


def test_an_unknown_cost_stays_unknown_until_it_is_adjusted(store, put):
    put(an_intent(1), a_settlement(1, cost_nanousd=None, rates=None, saved_nanousd=None), an_intent(2))
    put(an_adjustment(2), chain_id="r-1-b")
    assert [(row.cost_nanousd, row.adjusted_nanousd) for row in rows(store)] == [(None, None), (None, 5)]
    put(an_adjustment(2), an_adjustment(3, attempt_id="att-000001", delta_nanousd=40), chain_id="r-1-b")
    assert rows(store)[0].cost_nanousd == 40


def test_values_that_are_odd_come_back_as_they_were(store, put):
    user = 'a"b\\c\n\u2028é😀'
    usage = Usage(source="estimated", flags=("clamped", "zero"), raw="{not json", tokens_in=0, tokens_out=2**62)
    put(an_intent(1, user=user, tags={user: user}, held=()), a_settlement(1, usage=usage))
    (row,) = rows(store)
    assert (row.user, row.tags, row.usage_flags, row.usage_raw) == (user, {user: user}, usage.flags, usage.raw)
    assert (row.tokens_in, row.tokens_out) == (0, 2**62)


def test_filters_and_order(store, put):
    put(
        an_intent(3, ts_start_ms=NOON_MS, session_id="s", request_id="req-a"),
        an_intent(1, ts_start_ms=NOON_MS + 5, key=None, model=None, request_id="req-c"),
        an_intent(2, ts_start_ms=NOON_MS + 5, model="big", request_id="req-b"),
    )

    def found(**where):
        return [int(row.attempt_id[4:]) for row in rows(store, RowFilter(**where))]

    assert found() == [3, 1, 2]
    assert found(since_ms=NOON_MS + 5) == [1, 2]
    assert found(until_ms=NOON_MS + 5) == [3]
    assert found(key="ci") == [3, 2]
    assert found(model="big", key="ci") == [2]
    assert found(session_id="s", until_ms=NOON_MS) == []
    assert found(attempt_id="att-000002") == [2]
    assert found(attempt_id="att-000002", key="other") == found(attempt_id="att-00000") == []
    assert found(request_id="req-b") == [2]
    assert found(request_id="req-b", key="other") == found(request_id="req-") == []
    assert [row.request_id for row in rows(store, RowFilter(request_id="req-c"), by_request=True)] == ["req-c"]
    assert [row.request_id for row in rows(store, by_request=True)] == ["req-a", "req-b", "req-c"]


def test_a_snapshot_does_not_move(store, put):
    put(an_intent(1))
    with store.snapshot() as snapshot:
        assert snapshot.known_attempts(["att-000001", "att-000002"]) == {"att-000001"}
        put(an_intent(2), chain_id="r-1-b")
        assert [row.attempt_id for row in snapshot.attempts(EVERY_ROW)] == ["att-000001"]
        assert set(snapshot.heads()) == {"r-0-a"}
    assert len(rows(store)) == 2


def test_open_attempts_by_chain_and_position(store, put):
    put(an_intent(1), an_intent(2), a_settlement(2), an_intent(3))
    put(an_intent(4), chain_id="r-1-b")
    assert [(each.chain_id, each.intent.attempt_id[-1]) for each in store.open_attempts()] == [
        ("r-0-a", "1"),
        ("r-0-a", "3"),
        ("r-1-b", "4"),
    ]
    assert len(store.open_attempts("r-0-a")) == 2
    assert len(store.open_attempts("r-0-a", up_to_seq=3)) == 1
    assert store.open_attempts("unknown") == []


def budget(scope: str, window="day") -> Budget:
    return Budget(scope=scope, window=window, limit_nanousd=1)


def test_spent_counts_settled_costs_and_open_holds(store, put):
    put(an_intent(1), a_settlement(1), an_adjustment(1), an_intent(2), a_settlement(2), an_intent(3, hold_nanousd=9))
    assert store.spent([budget("key:ci")], NOON_MS) == {("key:ci", DAY): Spent(54_005, 9)}


def test_spent_takes_an_unknown_cost_at_its_hold(store, put):
    put(an_intent(1), a_settlement(1, cost_nanousd=None), an_intent(2, hold_nanousd=None), a_settlement(2))
    put(an_intent(3, hold_nanousd=None), chain_id="r-1-b")
    assert store.spent([budget("key:ci")], NOON_MS) == {("key:ci", DAY): Spent(1_027_000, 0)}


def test_what_was_charged_wins_over_the_cost_and_is_corrected_with_it(store, put):
    put(an_intent(1), a_settlement(1, charged_nanousd=1_000_000), an_adjustment(1), an_intent(2))
    assert store.spent([budget("key:ci")], NOON_MS) == {("key:ci", DAY): Spent(1_000_005, 1_000_000)}
    put(a_settlement(2, charged_nanousd=30_000), chain_id="r-1-b")
    assert store.spent([budget("key:ci")], NOON_MS) == {("key:ci", DAY): Spent(1_030_005, 0)}
    assert [(row.cost_nanousd, row.charged_nanousd) for row in rows(store)] == [(27_005, 1_000_005), (27_000, 30_000)]
    with store.snapshot() as snapshot:
        assert [joined.kept.charged_nanousd for joined in snapshot.joined()] == [1_000_000, 30_000]


def test_a_budget_made_in_the_middle_of_its_window_counts_what_went_before(store, put):
    put(an_intent(1, held=(), session_id="s1", org="acme", project="web"), a_settlement(1))
    scopes = ["org:acme", "team:platform", "project:web", "user:ann", "session:s1", "tag:feature=search"]
    found = store.spent([budget(scope, "month") for scope in scopes], NOON_MS)
    assert found == {(scope, "2026-11"): Spent(27_000, 0) for scope in scopes}


def test_wildcards_count_each_value_by_itself(store, put):
    put(an_intent(1), a_settlement(1), an_intent(2, user="bob", tags={"feature": "x", "other": "y"}), a_settlement(2))
    put(an_intent(3, user=None, tags={}, hold_nanousd=4), chain_id="r-1-b")
    one = Spent(27_000, 0)
    assert store.spent([budget("user:*"), budget("tag:feature=*", "total")], NOON_MS) == {
        ("user:ann", DAY): one,
        ("user:bob", DAY): one,
        ("tag:feature=search", "total"): one,
        ("tag:feature=x", "total"): one,
    }
    assert store.spent([budget("user:bob"), budget("user:nobody")], NOON_MS) == {("user:bob", DAY): one}


@pytest.mark.parametrize("window", ["hour", "day", "week", "month"])
def test_spend_lands_in_the_window_of_its_hold(store, put, window):
    here = span(window, NOON_MS)
    before, after = span(window, here.start_ms - 1), span(window, here.end_ms)
    late = (HeldScope("key:other", here.id), HeldScope("key:ci", before.id))
    early = (HeldScope("key:ci", here.id),)
    put(
        an_intent(1, ts_start_ms=here.start_ms + 1, held=late),
        an_intent(2, ts_start_ms=here.start_ms - 1, held=early),
        an_intent(3, ts_start_ms=here.end_ms, held=(HeldScope("key:ci", after.id),)),
        an_intent(4, ts_start_ms=here.end_ms - 1, held=()),
        an_intent(5, ts_start_ms=here.end_ms, held=()),
        an_intent(6, ts_start_ms=here.start_ms, held=(HeldScope("key:cix", here.id),)),
    )
    million = 1_000_000
    assert store.spent([budget("key:ci", window)], NOON_MS) == {("key:ci", here.id): Spent(0, 3 * million)}
    assert store.spent([budget("key:ci", window)], before.start_ms) == {("key:ci", before.id): Spent(0, million)}
    assert store.spent([budget("key:ci", window)], here.end_ms) == {("key:ci", after.id): Spent(0, 2 * million)}


def test_scopes_with_odd_names_at_the_edge_of_a_window(store, put):
    here = span("day", NOON_MS)
    user = 'é"\\/ 😀'
    put(an_intent(1, user=user, ts_start_ms=here.start_ms - 1, held=(HeldScope("user:" + user, here.id),)))
    assert store.spent([budget("user:*")], NOON_MS) == {("user:" + user, here.id): Spent(0, 1_000_000)}


def test_the_proof_of_an_attempt_agrees_with_its_lines(store, put):
    put(an_intent(1), a_settlement(1), an_intent(2))
    put(a_settlement(7), chain_id="r-1-b")
    with store.snapshot() as snapshot:
        first, second = snapshot.joined()
        assert (first.intent, first.settlement) == (an_intent(1), a_settlement(1))
        assert (first.kept.cost_nanousd, first.kept.settled, first.kept.held) == (27_000, True, an_intent(1).held)
        assert (second.settlement, second.kept.settled) == (None, False)
        assert [stray.where for stray in snapshot.strays()] == ["attempt att-000007"]
