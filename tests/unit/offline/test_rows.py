"""The documents that leave the ledger: INTERFACE's columns, whole requests, exact money."""

import csv
import io
import json

import pytest

from bascule.model.errors import BasculeError
from bascule.model.row import EVERY_ROW, RowFilter
from bascule.model.usage import Usage
from bascule.offline.export import export
from bascule.offline.rows import (
    ATTEMPT_COLUMNS,
    COLUMNS,
    REQUEST_COLUMNS,
    REQUEST_SPAN_MS,
    documents,
    requests,
)
from bascule.storage.memory.ledger import MemoryLedger
from bascule.storage.view import LedgerView
from bascule.testing.ledger import NOON_MS, a_settlement, an_adjustment, an_intent, chained

INTERFACE = (
    "kind attempt_id request_id session_id agent_id parent_id upstream_request_id idempotency_key attempt_no role "
    "key org team project user tags pr branch task route model model_requested model_reported provider upstream_model "
    "dialect_in dialect_out service_tier stream status error_class ts_start ts_first ts_end window_id tokens_in "
    "tokens_cache_read tokens_cache_write_5m tokens_cache_write_1h tokens_out tokens_reasoning tokens_audio_in "
    "tokens_audio_out tokens_image_in tool_fees_nanousd usage_source usage_raw cost_usd cost_nanousd price_version "
    "rates hold_nanousd baseline_nanousd saved_nanousd cache reason decision_id policy_version chain"
)


@pytest.fixture
def reader(tmp_path):
    def of(*lines):
        store = MemoryLedger()
        store.append("r-0-a", chained("r-0-a", lines))
        return LedgerView(store, tmp_path)

    return of


def test_every_column_of_the_interface_is_there_in_its_order():
    names = INTERFACE.split()
    assert [name for name in ATTEMPT_COLUMNS if name in names] == names
    assert {name for name in names if name.startswith(("tokens_", "cost", "ts_"))} <= set(REQUEST_COLUMNS)


def test_an_attempt_as_a_document(reader):
    (found,) = documents(reader(an_intent(1), a_settlement(1)), "attempts")
    assert list(found) == list(ATTEMPT_COLUMNS)
    assert (found["cost_usd"], found["cost_nanousd"]) == ("0.000027000", 27_000)
    assert found["rates"] == {"input": 150_000, "output": 600_000}
    assert (found["tags"], found["session_id"], found["tokens_reasoning"]) == ({"feature": "search"}, None, None)
    assert found["ts_end"] == "2026-11-21T12:00:00.091Z"


def failover():
    """A failed first attempt that cost nothing, its retry elsewhere, and a judge that came later."""
    return [
        an_intent(1, request_id="req-x"),
        a_settlement(1, status=503, error_class="overloaded", usage=Usage(), cost_nanousd=0, rates=None),
        an_intent(2, request_id="req-x", attempt_no=2, role="retry", model="big"),
        a_settlement(2, usage=Usage(tokens_in=7, tokens_out=3, source="estimated")),
        an_intent(3, request_id="req-x", attempt_no=3, role="judge", model="judge"),
        a_settlement(3, baseline_nanousd=None, saved_nanousd=-27_000),
        an_adjustment(2, attempt_id="att-000002"),
    ]


def test_a_request_is_its_attempts_summed(reader):
    (found,) = documents(reader(*failover()), "requests")
    assert list(found) == list(REQUEST_COLUMNS)
    assert (found["kind"], found["request_id"], found["attempts"]) == ("request", "req-x", 3)
    assert (found["models"], found["model"], found["status"], found["error_class"]) == (
        ["small", "big", "judge"],
        "big",
        200,
        None,
    )
    assert (found["tokens_in"], found["tokens_out"], found["tokens_reasoning"]) == (107, 23, None)
    assert (found["cost_nanousd"], found["cost_usd"], found["unknown_costs"]) == (54_005, "0.000054005", 0)
    assert (found["adjusted_nanousd"], found["usage_source"]) == (5, "estimated")
    assert (found["ts_start"], found["ts_end"]) == ("2026-11-21T12:00:00.001Z", "2026-11-21T12:00:00.093Z")


def test_one_unknown_cost_makes_the_sum_unknown(reader):
    lines = [*failover(), an_intent(4, request_id="req-x", attempt_no=4, role="shadow")]
    (found,) = documents(reader(*lines), "requests")
    assert (found["cost_nanousd"], found["cost_usd"], found["unknown_costs"], found["ts_end"]) == (None, None, 1, None)


def test_a_cache_hit_is_a_request_without_attempts(reader):
    lines = [an_intent(1, role="cache", attempt_no=0), a_settlement(1, cost_nanousd=0, cache="exact")]
    (found,) = documents(reader(*lines), "requests")
    assert (found["attempts"], found["cache"], found["cost_nanousd"]) == (0, "exact", 0)


def test_a_request_over_the_edge_of_a_period_is_whole_or_not_there(reader):
    view = reader(*failover())
    assert [row.attempts for row in requests(view, RowFilter(until_ms=NOON_MS + 2))] == [3]
    assert list(requests(view, RowFilter(since_ms=NOON_MS + 2))) == []
    assert [row.cost_nanousd for row in requests(view, RowFilter(model="small"))] == [54_005]
    assert list(requests(view, RowFilter(model="other"))) == []
    assert list(requests(view, RowFilter(attempt_id="other"))) == []
    assert list(requests(view, RowFilter(since_ms=NOON_MS + REQUEST_SPAN_MS * 3))) == []


def test_jsonl_and_csv_say_the_same(reader):
    view = reader(*failover(), an_intent(5, user='a"b,\n', stream=True))
    for rows in ("attempts", "requests"):
        lines, table = io.StringIO(), io.StringIO(newline="")
        count = export(documents(view, rows), COLUMNS[rows], "jsonl", lines)
        assert export(documents(view, rows), COLUMNS[rows], "csv", table) == count == (4 if rows == "attempts" else 2)
        read = list(csv.DictReader(io.StringIO(table.getvalue(), newline="")))
        for line, cells in zip(lines.getvalue().splitlines(), read, strict=True):
            document = json.loads(line)
            assert list(document) == list(cells) == list(COLUMNS[rows])
            for name, value in document.items():
                if isinstance(value, bool | dict | list):
                    assert json.loads(cells[name]) == value
                else:
                    assert cells[name] == ("" if value is None else str(value))


def test_an_empty_export_has_its_header(reader):
    table = io.StringIO(newline="")
    assert export([], ATTEMPT_COLUMNS, "csv", table) == 0
    assert table.getvalue() == ",".join(ATTEMPT_COLUMNS) + "\r\n"


def test_parquet_is_refused_with_a_way_out(reader):
    with pytest.raises(BasculeError, match="DuckDB"):
        export([], ATTEMPT_COLUMNS, "parquet", io.StringIO())


def test_rows_of_a_request_need_not_lie_together(reader):
    view = reader(an_intent(1, request_id="req-a"), an_intent(2, request_id="req-b"), an_intent(3, request_id="req-a"))
    assert [(row.request_id, row.attempts) for row in requests(view, EVERY_ROW)] == [("req-a", 2), ("req-b", 1)]
