"""Parts of sessions are the same, row by row and summed by the analytics."""

import json
from pathlib import Path
from typing import Any

from bascule.compose import open_store, read_document
from bascule.model.row import RowFilter
from bascule.model.usage import Usage
from bascule.offline.parts import CELLS_BY, parts, parts_of_cells


def test_both_ways_give_the_same(book: Any) -> None:
    book.attempt(session_id="s1", branch="login", cost=5_000_000, project="web")
    book.attempt(session_id="s1", branch="login", cost=None, project="web", start=1_795_262_500_000)
    book.attempt(session_id="s1", branch="login", pr="12", tags={"pr": "13"})
    book.attempt(session_id="s1", branch="login", tags={"pr": "12", "plan": "pro"}, cost=7_000_000)
    book.attempt(session_id="s1", branch="main", task="review")
    book.attempt(session_id="s2", end=None)
    book.drain()
    guess = Usage(tokens_in=5, tokens_out=5, source="estimated")
    book.attempt(session_id="s2", usage=guess, cost=3)
    book.attempt(request="req_0900", role="retry", no=2, settlement={"error_class": "reset"})
    book.attempt(cost=11, tags={"plan": "team"})
    by_rows = parts(book.store.view.attempts(RowFilter()))
    by_cells = parts_of_cells(book.store.analytics.cells(CELLS_BY, times=True))
    assert by_rows == by_cells
    assert len(by_rows) == 5
    assert {part.pr for part in by_rows} == {"12", None}
    assert sum(part.plan_nanousd for part in by_rows) == 0  # what went through the gateway was no subscription's
    assert sum(part.unknown for part in by_rows) == 2


def test_what_an_agents_log_says_was_on_a_plan_is_told_apart(run: Any, place: Path) -> None:
    seen = {"ts_start": "2026-11-21T12:00:00Z", "cost_usd": "2", "session_id": "s1", "tag.plan": "pro"}
    rows = [seen | {"origin": origin, "id": origin} for origin in ("codex", "jsonl")]
    (place / "rows.jsonl").write_text("".join([json.dumps(row) + "\n" for row in rows]))
    assert run("import", "jsonl", "rows.jsonl", "--json").json["rows_new"] == 2
    store = open_store(place / "data", read_document(None, {}).config)
    by_rows = parts(store.view.attempts(RowFilter()))
    assert by_rows == parts_of_cells(store.analytics.cells(CELLS_BY, times=True))
    assert [(part.cost_nanousd, part.plan_nanousd) for part in by_rows] == [(4_000_000_000, 2_000_000_000)]
