"""Reports, sessions, configuration and audit trail, as documents."""

import sqlite3
from typing import Any

import pytest

from bascule.model.session_outcome import SessionOutcome


async def test_a_report_adds_up(gate: Any) -> None:
    gate.attempt(cost=5, key="a")
    gate.attempt(cost=7, key="b", model="big")
    gate.attempt(cost=11, key="b", start_ms=0)
    answer = (await gate("look", "GET", "/reports?by=key&by=model&since=2026-11-21")).json
    assert answer["by"] == ["key", "model"]
    assert answer["total"]["cost_usd"] == "0.000000012"
    assert [(g["key"], g["model"], g["cost_usd"]) for g in answer["groups"]] == [
        ("b", "big", "0.000000007"),
        ("a", "small", "0.000000005"),
    ]
    assert answer["since"] == "2026-11-21T00:00:00.000Z"
    assert (await gate("look", "GET", "/reports?by=key,model&key=b")).json["total"]["requests"] == 2


async def test_a_report_by_outcome_knows_what_was_said_of_a_session(gate: Any) -> None:
    gate.attempt(cost=5, session_id="s", key="a")
    gate.attempt(cost=7, session_id="s", key="b")
    gate.service.store.outcomes.add([SessionOutcome(session_id="s", at_ms=1, outcome="useful", source="ann")])
    groups = (await gate("look", "GET", "/reports?by=outcome&key=b")).json["groups"]
    assert [(group["outcome"], group["cost_usd"]) for group in groups] == [("useful", "0.000000007")]


@pytest.mark.parametrize("query", ["by=planet", "by=key,model,team,org,day", "bye=key", "since=soon"])
async def test_reports_that_nobody_can_make(gate: Any, query: str) -> None:
    assert (await gate("look", "GET", "/reports?" + query)).status == 400


async def test_sessions_latest_first_and_one_in_full(gate: Any, noon: int) -> None:
    gate.attempt(cost=5, session_id="a/b", start_ms=noon)
    gate.attempt(cost=6, session_id="a/b", start_ms=noon + 1, agent_id="sub", parent_id="main")
    gate.attempt(cost=7, session_id="late", start_ms=noon + 60_000)
    listed = (await gate("look", "GET", "/sessions")).json
    assert [(s["session_id"], s["cost_usd"]) for s in listed["data"]] == [
        ("late", "0.000000007"),
        ("a/b", "0.000000011"),
    ]
    assert listed["has_more"] is False
    first = (await gate("look", "GET", "/sessions?limit=1")).json
    assert ([s["session_id"] for s in first["data"]], first["has_more"]) == (["late"], True)
    one = (await gate("look", "GET", "/sessions/a/b")).json
    assert [(a["agent_id"], a["cost_usd"]) for a in one["agents"]] == [(None, "0.000000005"), ("sub", "0.000000006")]
    assert [r["request_id"] for r in one["request_list"]] == ["req_0001", "req_0002"]
    assert one["duration_s"] == 0.501
    assert (await gate("look", "GET", "/sessions/none")).status == 404


async def test_the_configuration_is_told_without_any_secret(gate: Any, secrets: list[str]) -> None:
    answer = await gate("look", "GET", "/config")
    shown = answer.json
    (provider,) = shown["providers"]
    assert (provider["name"], provider["standing"], provider["has_key"]) == ("local", "from the spec only", True)
    assert provider["headers"] == ["x-extra"]
    assert provider["timeouts"]["connect_s"] == 5.0
    assert provider["data"]["retention"] is None  # unknown is said to be unknown
    assert shown["models"][0]["endpoints"][0]["priced"] is True
    assert (shown["routes"][0]["name"], shown["routes"][0]["max_cost_usd"]) == ("auto", "0.050000000")
    assert shown["policy_version"] == gate.service.snapshot.policy_version
    assert shown["price_version"] == gate.service.snapshot.price_version
    assert isinstance(shown["warnings"], list)
    assert (shown["aliases"], shown["keys"], shown["admin_secret"]) == ({"tiny": "small"}, 5, True)
    for secret in secrets:
        assert secret.encode() not in answer.body


async def test_the_trail_is_read_backwards_and_verified(gate: Any) -> None:
    for name in ("a", "b", "c"):
        await gate("boss", "POST", "/keys", {"name": name})
    whole = (await gate("look", "GET", "/audit")).json
    assert [(e["seq"], e["by"], e["action"], e["detail"]["name"]) for e in whole["data"]] == [
        (3, "key:boss", "key.create", "c"), (2, "key:boss", "key.create", "b"), (1, "key:boss", "key.create", "a")
    ]  # fmt: skip
    assert whole["verify"] == {"holds": True, "entries": 3, "findings": []}
    part = (await gate("look", "GET", "/audit?limit=1&before=3")).json
    assert ([e["seq"] for e in part["data"]], part["verify"]["entries"]) == ([2], 3)


async def test_a_forged_trail_is_found(gate: Any) -> None:
    await gate("boss", "POST", "/keys", {"name": "a"})
    with sqlite3.connect(gate.service.store.database.path) as connection:
        (table,) = connection.execute(
            "SELECT name FROM sqlite_schema WHERE name LIKE 'audit%' AND type='table'"
        ).fetchone()
        for (trigger,) in connection.execute("SELECT name FROM sqlite_schema WHERE type='trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute(f"UPDATE {table} SET body = replace(body, 'key:boss', 'key:ann')")
    connection.close()
    answer = (await gate("look", "GET", "/audit")).json
    assert answer["verify"]["holds"] is False
    assert answer["verify"]["findings"]


async def test_an_unreadable_store_is_503(gate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = gate.service.store.database.path
    for file in path.parent.glob(path.name + "*"):
        file.rename(file.with_name("away-" + file.name))
    path.write_bytes(b"this is no database, it is a text of some length" * 100)
    for target in ("/reports", "/ledger", "/sessions", "/audit", "/budgets"):
        answer = await gate("admin", "GET", target)
        assert (target, answer.status) == (target, 503)
        assert "Traceback" not in answer.body.decode()
