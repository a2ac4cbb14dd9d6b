"""Ledger rows in pages, and corrections."""

from typing import Any

import pytest

from bascule.model.errors import LedgerUnavailable

HOUR_MS = 3_600_000


async def pages(gate: Any, query: str) -> list[list[Any]]:
    found, cursor = [], ""
    while True:
        answer = await gate("look", "GET", f"/ledger?{query}{cursor}")
        assert answer.status == 200
        found.append(answer.lines)
        following = answer.headers.get("x-bascule-next-cursor")
        if following is None:
            return found
        cursor = f"&cursor={following}"


async def test_rows_come_with_the_columns_of_the_export(gate: Any) -> None:
    attempt_id = gate.attempt(cost=123, session_id="s1")
    answer = await gate("look", "GET", "/ledger")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert "x-bascule-next-cursor" not in answer.headers
    (row,) = answer.lines
    assert (row["attempt_id"], row["cost_usd"], row["cost_nanousd"]) == (attempt_id, "0.000000123", 123)
    assert row["ts_start"] == "2026-11-21T12:00:00.000Z"
    (row,) = (await gate("look", "GET", "/ledger?rows=requests")).lines
    assert (row["kind"], row["request_id"], row["attempts"]) == ("request", "req_0001", 1)


@pytest.mark.parametrize("kind", ["attempts", "requests"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
async def test_pages_give_every_row_once_in_order(gate: Any, kind: str, limit: int, noon: int) -> None:
    """Rows of the same millisecond too, and those of the store and of the journal together."""
    ids = []
    for at in range(7):
        attempt_id = gate.attempt(start_ms=noon + at // 3)
        ids.append(attempt_id if kind == "attempts" else f"req_{at + 1:04d}")
        if at == 3:
            gate.drain()
    found = await pages(gate, f"rows={kind}&limit={limit}")
    assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)
    assert [row["attempt_id" if kind == "attempts" else "request_id"] for page in found for row in page] == ids


async def test_filters(gate: Any, noon: int) -> None:
    gate.attempt(session_id="s1", key="a", start_ms=noon)
    gate.attempt(session_id="s2", key="b", start_ms=noon + HOUR_MS, model="big")

    async def found(query: str) -> list[str]:
        return [row["attempt_id"] for row in (await gate("look", "GET", "/ledger?" + query)).lines]

    assert await found("session=s1") == await found("key=a") == await found("model=small") == ["att_0001.1"]
    assert await found("since=2026-11-21T13:00:00Z") == ["att_0002.1"]
    assert await found("until=2026-11-21T13:00:00%2B00:00") == ["att_0001.1"]
    assert len(await found("since=2026-11-21&until=2026-11-21")) == 2
    assert len(await found("since=2026-11&until=2026-W47")) == 2
    assert await found("since=2026-11-22") == await found("until=2026-11-20") == []


@pytest.mark.parametrize(
    ("query", "param"),
    [("sinse=7d", "sinse"), ("since=soon", "since"), ("until=total", "until"), ("since=2026-13-01", "since"),
     ("limit=0", "limit"), ("limit=10001", "limit"), ("limit=-1", "limit"), ("limit=x", "limit"),
     ("limit=1&limit=2", "limit"), ("rows=all", "rows"), ("cursor=x", "cursor"), ("cursor=%C3%A9", "cursor"),
     ("cursor=eH55", "cursor"), ("cursor=eA", "cursor")],
)  # fmt: skip
async def test_a_misspelt_question_is_not_answered(gate: Any, query: str, param: str) -> None:
    answer = await gate("look", "GET", "/ledger?" + query)
    assert (answer.status, answer.json["error"]["param"]) == (400, param)


async def test_a_correction_is_a_new_line_seen_at_once(gate: Any) -> None:
    attempt_id = gate.attempt(cost=1_000)
    body = {"attempt_id": attempt_id, "delta_usd": "-0.0000004", "reason": " invoice 17 "}
    answer = await gate("boss", "POST", "/ledger/adjustments", body)
    assert answer.status == 201
    assert answer.json | {"adjustment_id": ""} == {
        "adjustment_id": "", "attempt_id": attempt_id, "delta_usd": "-0.000000400", "cost_usd": "0.000000600",
        "reason": "invoice 17", "by": "key:boss",
    }  # fmt: skip
    for _ in range(2):
        (row,) = (await gate("look", "GET", "/ledger")).lines
        assert (row["cost_nanousd"], row["adjusted_nanousd"]) == (600, -400)
        gate.drain()
    assert gate.trail == [("key:boss", "ledger.adjust", attempt_id)]


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"attempt_id": "att_none"}, 404), ({"delta_usd": 0}, 400), ({"delta_usd": "NaN"}, 400),
     ({"delta_usd": "1e40"}, 400),
     ({"delta_usd": "0.0000000001"}, 400), ({"reason": "  "}, 400), ({"reason": "x" * 1001}, 400), ({"by": "me"}, 400)],
)  # fmt: skip
async def test_what_cannot_be_corrected(gate: Any, changes: dict[str, Any], status: int) -> None:
    body = {"attempt_id": gate.attempt(), "delta_usd": 1, "reason": "r"} | changes
    assert (await gate("admin", "POST", "/ledger/adjustments", body)).status == status
    assert gate.trail == []


async def test_an_open_attempt_is_not_corrected(gate: Any) -> None:
    body = {"attempt_id": gate.attempt(end=False), "delta_usd": 1, "reason": "r"}
    assert (await gate("admin", "POST", "/ledger/adjustments", body)).status == 409


async def test_a_full_disk_is_503_and_leaves_no_trace_in_the_trail(gate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt_id = gate.attempt()

    def full(line: object) -> None:
        raise LedgerUnavailable("the disk is full")

    monkeypatch.setattr(gate.service.gateway.journal, "adjust", full)
    body = {"attempt_id": attempt_id, "delta_usd": 1, "reason": "r"}
    answer = await gate("admin", "POST", "/ledger/adjustments", body)
    assert (answer.status, answer.json["error"]["type"]) == (503, "service_unavailable")
    assert "retry-after" in answer.headers
    assert gate.trail == []
