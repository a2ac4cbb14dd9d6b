"""One suite over every store of imported rows: whatever importers, readers and compaction may rely on."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.model.chain import ChainedLine
from bascule.model.errors import BasculeError
from bascule.model.imported import ImportCounts, Imported
from bascule.model.row import EVERY_ROW, AttemptRow, RowFilter
from bascule.ports import HOUR_MS, ImportStore, LedgerStore
from bascule.storage.memory.imports import MemoryImports
from bascule.storage.memory.ledger import MemoryLedger
from bascule.storage.postgres.connect import PostgresDatabase
from bascule.storage.postgres.imports import PostgresImports
from bascule.storage.postgres.ledger import PostgresLedger
from bascule.storage.sqlite import imports as sqlite_imports
from bascule.storage.sqlite.connect import open_database
from bascule.storage.sqlite.imports import SqliteImports
from bascule.storage.sqlite.ledger import SqliteLedger
from bascule.testing.ledger import (
    NOON_MS,
    RATES,
    a_decision,
    a_settlement,
    an_adjustment,
    an_import,
    an_intent,
    chained,
)

NOON = NOON_MS // HOUR_MS
CLAUDE = "claude-code"


class Stores(NamedTuple):
    ledger: LedgerStore
    imports: ImportStore


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    if request.param == "memory":
        ledger = MemoryLedger()
        yield Stores(ledger, ledger.imports)
        return
    if request.param == "postgres":
        database = PostgresDatabase(request.getfixturevalue("postgres_url"))
        yield Stores(PostgresLedger(database), PostgresImports(database))
        database.close()
        return
    database = open_database(tmp_path)
    imports = SqliteImports(database)
    yield Stores(SqliteLedger(database), imports)
    imports.close()
    database.close()


def rows(stores: Stores, where: RowFilter = EVERY_ROW, by_request: bool = False) -> list[AttemptRow]:
    with stores.ledger.snapshot() as snapshot:
        return list(snapshot.imported(where, by_request=by_request))


def versions(stores: Stores, *hours: int | None) -> dict[tuple[str, int], int]:
    with stores.ledger.snapshot() as snapshot:
        return snapshot.hour_versions(*hours)


def counts(new: int = 0, replaced: int = 0, same: int = 0) -> ImportCounts:
    return ImportCounts(new=new, replaced=replaced, same=same)


def test_a_row_comes_back_as_it_was(stores: Stores) -> None:
    odd = an_import(
        2, session_id=None, user='a"b\\\n\u2028é😀', tags={"cwd": "/x", "": "é"}, usage_flags=("zero",),
        tokens_cache_read=2**62, usage_raw="{no json", cost_nanousd=None, rates=None, request_id="r", stream=True,
        agent_id="a", parent_id="p", error_class="timeout", finish_reason="stop", saved_nanousd=-5, attempt_no=3,
    )  # fmt: skip
    assert stores.imports.put([an_import(1), odd]) == counts(new=2)
    assert rows(stores) == [an_import(1).row, odd.row]
    assert rows(stores)[0].rates == RATES


def test_the_same_again_changes_nothing(stores: Stores) -> None:
    readings = [an_import(number, tags={"n": str(number % 3)}) for number in range(1, 51)]
    assert stores.imports.put(readings) == counts(new=50)
    before = versions(stores)
    assert stores.imports.put(iter(readings)) == counts(same=50)
    assert stores.imports.put([]) == counts()
    assert versions(stores) == before == {(CLAUDE, NOON): 1}
    assert len(rows(stores)) == 50


def test_a_better_or_newer_reading_replaces_and_a_worse_one_never(stores: Stores) -> None:
    stores.imports.put([an_import(1, quality=20)])
    assert stores.imports.put([an_import(1, quality=10, tokens_out=1)]) == counts(same=1)
    assert rows(stores)[0].tokens_out == 20
    assert stores.imports.put([an_import(1, quality=20, tokens_out=30)]) == counts(replaced=1)
    assert stores.imports.put([an_import(1, quality=30, tokens_out=40)]) == counts(replaced=1)
    assert stores.imports.put([an_import(1, quality=20, tokens_out=30)]) == counts(same=1)
    assert [row.tokens_out for row in rows(stores)] == [40]
    assert versions(stores) == {(CLAUDE, NOON): 3}


def test_what_is_only_better_known_is_kept_as_such(stores: Stores) -> None:
    stores.imports.put([an_import(1, quality=10)])
    assert stores.imports.put([an_import(1, quality=30)]) == counts(replaced=1)
    assert stores.imports.put([an_import(1, quality=20, tokens_out=1)]) == counts(same=1)


def test_readings_of_one_row_in_one_go(stores: Stores) -> None:
    readings = [an_import(1, quality=q, tokens_out=out) for q, out in ((10, 1), (30, 3), (20, 2), (30, 3), (30, 4))]
    assert stores.imports.put(readings) == counts(new=1, replaced=2, same=2)
    assert [row.tokens_out for row in rows(stores)] == [4]


def test_sources_do_not_mix(stores: Stores) -> None:
    stores.imports.put([an_import(1), an_import(1, source="codex"), an_import(2, source="codex")])
    assert [row.origin for row in rows(stores)] == [CLAUDE, "codex", "codex"]
    assert [row.origin for row in rows(stores, RowFilter(origin=CLAUDE))] == [CLAUDE]
    with stores.ledger.snapshot() as snapshot:
        assert snapshot.import_counts() == {CLAUDE: 1, "codex": 2}
        assert list(snapshot.attempts(EVERY_ROW)) == []


def test_what_restates_other_rows_must_be_named(stores: Stores) -> None:
    stores.imports.put([an_import(1), an_import(2, restates="usage")])
    assert [row.attempt_id[-1] for row in rows(stores)] == ["1"]
    assert [row.attempt_id[-1] for row in rows(stores, by_request=True)] == ["1"]
    assert [row.restates for row in rows(stores, RowFilter(origin=CLAUDE))] == [None, "usage"]
    assert [row.restates for row in rows(stores, RowFilter(attempt_id="claude-code:msg-000002"))] == ["usage"]


def test_filters_and_order(stores: Stores) -> None:
    stores.imports.put(
        [
            an_import(3, ts_start_ms=NOON_MS, session_id="s2", request_id="req-b"),
            an_import(2, ts_start_ms=NOON_MS + 5, key="ci", model=None, request_id="req-a"),
            an_import(1, ts_start_ms=NOON_MS + 5, key="ci", model="big", request_id="req-b"),
        ]
    )

    def found(**where: str | int) -> list[int]:
        return [int(row.attempt_id[-1]) for row in rows(stores, RowFilter(**where))]  # type: ignore[arg-type]

    assert found() == [3, 1, 2]
    assert found(since_ms=NOON_MS + 5) == [1, 2]
    assert found(until_ms=NOON_MS + 5) == [3]
    assert found(key="ci") == [1, 2]
    assert found(key="ci", model="big") == [1]
    assert found(session_id="s1", until_ms=NOON_MS) == []
    assert found(session_id="s2", origin=CLAUDE) == [3]
    assert found(attempt_id="claude-code:msg-000002") == [2]
    assert found(attempt_id="claude-code:msg-000002", key="other") == found(attempt_id="msg-000002") == []
    assert found(origin="gateway") == []
    assert found(request_id="req-b") == [3, 1]
    assert found(request_id="req-b", model="big") == [1]
    assert found(request_id="req-") == []
    requests = [row.request_id for row in rows(stores, by_request=True)]
    assert sorted(requests) == ["req-a", "req-b", "req-b"]
    assert requests != ["req-b", "req-a", "req-b"]


def test_every_hour_that_is_written_to_has_a_higher_version(stores: Stores) -> None:
    stores.imports.put([an_import(1), an_import(2, ts_start_ms=NOON_MS + HOUR_MS), an_import(3, source="codex")])
    assert versions(stores) == {(CLAUDE, NOON): 1, (CLAUDE, NOON + 1): 1, ("codex", NOON): 1}
    stores.imports.put([an_import(1, ts_start_ms=NOON_MS + 2 * HOUR_MS)])
    assert versions(stores) == {(CLAUDE, NOON): 2, (CLAUDE, NOON + 1): 1, (CLAUDE, NOON + 2): 1, ("codex", NOON): 1}
    assert versions(stores, NOON + 1) == {(CLAUDE, NOON + 1): 1, (CLAUDE, NOON + 2): 1}
    assert versions(stores, None, NOON + 1) == {(CLAUDE, NOON): 2, ("codex", NOON): 1}


def test_lines_of_the_ledger_raise_the_hour_of_their_attempt(stores: Stores) -> None:
    def versions_after(*lines: ChainedLine) -> dict[int, int]:
        stores.ledger.append("r-0-a", lines)
        return {hour: version for (origin, hour), version in versions(stores).items() if origin == "gateway"}

    lines = chained(
        "r-0-a",
        [
            an_intent(1),
            an_intent(2, ts_start_ms=NOON_MS + HOUR_MS),
            a_settlement(2, ts_end_ms=NOON_MS + 2 * HOUR_MS),
            a_settlement(1),
            an_adjustment(1),
            a_decision(1),
            an_adjustment(9, attempt_id="nobody"),
        ],
    )
    assert versions_after(*lines[:3]) == {NOON: 1, NOON + 1: 1}
    assert versions_after(lines[3]) == {NOON: 2, NOON + 1: 1}
    assert versions_after(lines[4]) == {NOON: 3, NOON + 1: 1}
    assert versions_after(*lines[5:]) == {NOON: 3, NOON + 1: 1}


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "settle"}, {"origin": "gateway"}, {"attempt_id": "msg-000001"}, {"held": an_intent(1).held}],
    ids=str,
)
def test_what_is_no_imported_row_is_refused(stores: Stores, wrong: dict[str, object]) -> None:
    with pytest.raises(BasculeError, match="no imported row"):
        stores.imports.put([an_import(2), an_import(1, **wrong)])
    assert rows(stores) == []


READINGS = st.lists(
    st.builds(
        an_import,
        st.integers(1, 4),
        quality=st.integers(0, 2),
        source=st.sampled_from((CLAUDE, "codex")),
        tokens_out=st.integers(0, 2),
        branch=st.none() | st.sampled_from(("main", "x")),
        ts_start_ms=st.sampled_from((NOON_MS, NOON_MS + HOUR_MS)),
    ),
    max_size=12,
)


@given(groups=st.lists(READINGS, max_size=4))
def test_whatever_is_put_both_stores_say_the_same(
    tmp_path_factory: pytest.TempPathFactory, groups: list[list[Imported]]
) -> None:
    database = open_database(tmp_path_factory.mktemp("law"))
    imports, ledger = SqliteImports(database), SqliteLedger(database)
    model = MemoryImports()
    for group in groups:
        assert imports.put(group) == model.put(group)
    with ledger.snapshot() as snapshot:
        assert list(snapshot.imported(EVERY_ROW)) == list(model.rows(EVERY_ROW, False))
        assert snapshot.hour_versions() == model.hour_versions(None, None)
        assert snapshot.import_counts() == model.counts()
    imports.close()
    database.close()


def test_two_importers_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_imports, "GROUP_ROWS", 20)
    readings = [an_import(number, quality=20 + number % 2, user=f"u{number % 7}") for number in range(400)]
    worse = [an_import(number, quality=20, user="worse") for number in range(400)]
    totals: list[ImportCounts] = []
    database = open_database(tmp_path)

    def run(given: list[Imported]) -> None:
        imports = SqliteImports(database)
        totals.append(imports.put(given))
        imports.close()

    threads = [threading.Thread(target=run, args=(given,)) for given in (readings, worse, readings)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(total.new for total in totals) == 400
    found = rows(Stores(SqliteLedger(database), SqliteImports(database)))
    assert len(found) == 400
    assert all(row.user != "worse" for row in found if int(row.attempt_id[-1]) % 2)
    database.close()


def test_an_import_that_breaks_off_keeps_whole_groups_and_may_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_imports, "GROUP_ROWS", 10)
    database = open_database(tmp_path)
    imports = SqliteImports(database)
    stores = Stores(SqliteLedger(database), imports)
    readings = [an_import(number, user=f"u{number}") for number in range(25)]
    with pytest.raises(BasculeError):
        imports.put([*readings[:15], an_import(15, kind="settle"), *readings[16:]])
    assert len(rows(stores)) == 10
    assert imports.put(readings) == counts(new=15, same=10)
    assert rows(stores) == [reading.row for reading in readings]
    imports.close()
    database.close()


def test_places_of_packed_fields_never_change() -> None:
    """Rows on disk are read by place: add at the end, and extend this list."""
    from bascule.storage.packed import OWN

    assert OWN == (
        "request_id", "agent_id", "parent_id", "upstream_request_id", "idempotency_key", "attempt_no", "status",
        "error_class", "ts_first_ms", "ts_end_ms", "tokens_in", "tokens_cache_read", "tokens_cache_write_5m",
        "tokens_cache_write_1h", "tokens_out", "tokens_reasoning", "tokens_audio_in", "tokens_audio_out",
        "tokens_image_in", "tokens_image_out", "web_searches", "tool_fees_nanousd", "usage_raw", "cost_nanousd",
        "provider_cost_nanousd", "baseline_nanousd", "saved_nanousd", "decision_id", "finish_reason",
    )  # fmt: skip
