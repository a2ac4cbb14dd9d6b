"""Budgets through the API: exact, in force at once, and only ever tightened from below."""

from typing import Any

import pytest

from bascule.model.budget import Attribution
from bascule.model.errors import Refusal


def reserve(gate: Any, amount: int, attempt_id: str = "att_1", **who: Any) -> Any:
    gateway = gate.service.gateway
    return gateway.authority.reserve(Attribution(**who), attempt_id, amount, gateway.clock.now_ms())


async def test_a_budget_is_in_force_when_the_answer_comes(gate: Any) -> None:
    body = {"scope": "key:x", "limit_usd": "0.000000005", "window": "day"}
    answer = await gate("admin", "POST", "/budgets", body)
    assert answer.status == 200
    assert answer.json == {"scope": "key:x", "window": "day", "limit_usd": "0.000000005", "mode": "strict",
                           "on_exhausted": "refuse", "alerts": [], "source": "store"}  # fmt: skip
    assert isinstance(reserve(gate, 6, key="x"), Refusal)
    assert not isinstance(reserve(gate, 5, key="x"), Refusal)
    assert (await gate("admin", "DELETE", "/budgets?scope=key:x&window=day")).json["removed"] is True
    assert not isinstance(reserve(gate, 10**15, "att_2", key="x"), Refusal)
    assert gate.trail == [("admin", "budget.set", "key:x"), ("admin", "budget.remove", "key:x")]


@pytest.mark.parametrize("written", ["0.1", '"0.1"', "0.100000000", "1e-1"])
async def test_dollars_are_taken_as_written(gate: Any, written: str) -> None:
    raw = f'{{"scope":"key:x","limit_usd":{written},"window":"day"}}'.encode()
    answer = await gate("admin", "POST", "/budgets", parts=(raw,))
    assert answer.json["limit_usd"] == "0.100000000"


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"limit_usd": -1}, "limit_usd"),
        ({"limit_usd": "NaN"}, "limit_usd"),
        ({"limit_usd": "Infinity"}, "limit_usd"),
        ({"limit_usd": "0.0000000001"}, "limit_usd"),
        ({"limit_usd": "1e400"}, "limit_usd"),
        ({"limit_usd": "1e999999"}, "limit_usd"),
        ({"limit_usd": None}, "limit_usd"),
        ({"limit_usd": "ten"}, "limit_usd"),
        ({"scope": "planet:x"}, "scope"),
        ({"scope": "key:"}, "scope"),
        ({"scope": "key: x"}, "scope"),
        ({"window": "year"}, "window"),
        ({"mode": "lax"}, "mode"),
        ({"alerts": [0]}, "alerts[0]"),
        ({"limit": 5}, None),
    ],
)
async def test_bad_budgets_are_400(gate: Any, changes: dict[str, Any], param: str | None) -> None:
    body = {"scope": "key:x", "limit_usd": 1, "window": "day"} | changes
    answer = await gate("admin", "POST", "/budgets", body)
    assert (answer.status, answer.json["error"]["param"]) == (400, param)
    assert gate.trail == []


async def test_states_and_definitions(gate: Any) -> None:
    gate.attempt(cost=7, user="ann", held=())
    gate.drain()
    reserve(gate, 1_000, key="ci", team="platform", user="ann")
    await gate("admin", "POST", "/budgets", {"scope": "team:platform", "limit_usd": 1, "window": "day", "mode": "warn"})
    answer = (await gate("admin", "GET", "/budgets")).json
    states = {(state["scope"], state["source"]): state for state in answer["data"]}
    total = states["team:platform", "config"]
    assert (total["window_id"], total["limit_usd"], total["settled_usd"], total["held_usd"], total["left_usd"]) == (
        "total", "2000.000000000", "0.000000007", "0.000001000", "1999.999998993"
    )  # fmt: skip
    assert states["team:platform", "store"]["mode"] == "warn"
    assert states["user:ann", "config"]["limit_usd"] == "3.000000000"
    assert {(b["scope"], b["window"], b["source"]) for b in answer["defined"]} == {
        ("team:platform", "total", "config"),
        ("user:*", "total", "config"),
        ("team:platform", "day", "store"),
    }


async def test_budgets_of_the_file_are_read_only(gate: Any) -> None:
    for answer in (
        await gate("admin", "POST", "/budgets", {"scope": "team:platform", "limit_usd": 9, "window": "total"}),
        await gate("admin", "DELETE", "/budgets?scope=team:platform&window=total"),
    ):
        assert answer.status == 409
        assert "configuration file" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 400), ("?scope=key:x", 400), ("?window=day", 400), ("?scope=key:x&window=year", 400),
     ("?scope=key:x&window=day&force=1", 400), ("?scope=key:x&scope=key:y&window=day", 400),
     ("?scope=key:x&window=day", 404)],
)  # fmt: skip
async def test_removing_names_exactly_one_budget(gate: Any, query: str, status: int) -> None:
    assert (await gate("admin", "DELETE", "/budgets" + query)).status == status


async def test_a_team_administrator_sees_its_team_alone(gate: Any) -> None:
    for scope in ("key:ci", "key:boss", "team:web", "org:acme", "session:s"):
        assert (
            await gate("admin", "POST", "/budgets", {"scope": scope, "limit_usd": 1, "window": "day"})
        ).status == 200
    answer = (await gate("lead", "GET", "/budgets")).json
    assert (
        {b["scope"] for b in answer["defined"]} == {b["scope"] for b in answer["data"]} == {"team:platform", "key:ci"}
    )


@pytest.mark.parametrize(
    "scope", ["team:platform", "team:web", "org:acme", "key:boss", "key:none", "user:ann", "tag:a=b"]
)
async def test_a_team_administrator_caps_keys_of_its_team_alone(gate: Any, scope: str) -> None:
    body = {"scope": scope, "limit_usd": 1, "window": "day"}
    assert (await gate("lead", "POST", "/budgets", body)).status == 403
    assert (await gate("lead", "POST", "/budgets", body | {"scope": "key:ci"})).status == 200


async def test_a_cap_from_above_is_tightened_and_never_loosened(gate: Any) -> None:
    body = {"scope": "key:lead", "limit_usd": 10, "window": "day", "mode": "expected"}
    await gate("admin", "POST", "/budgets", body)
    assert (await gate("lead", "POST", "/budgets", body | {"limit_usd": 11})).status == 403
    assert (await gate("lead", "POST", "/budgets", body | {"mode": "warn"})).status == 403
    assert (await gate("lead", "DELETE", "/budgets?scope=key:lead&window=day")).status == 403
    assert (await gate("lead", "POST", "/budgets", body | {"limit_usd": 9, "mode": "strict"})).status == 200
    assert gate.trail[-1] == ("key:lead", "budget.set", "key:lead")


async def test_a_name_that_another_team_uses_too_is_nobodys_alone(gate: Any) -> None:
    await gate("admin", "POST", "/keys", {"name": "shared", "org": "acme", "team": "web"})
    await gate("admin", "DELETE", "/keys/shared")
    await gate("lead", "POST", "/keys", {"name": "shared"})
    assert (
        await gate("lead", "POST", "/budgets", {"scope": "key:shared", "limit_usd": 1, "window": "day"})
    ).status == 403
