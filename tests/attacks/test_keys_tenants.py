"""Two organisations have a team of one name: neither's administrator looks into what both spend."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.server.conftest import CONFIG, Gate

RIVAL = {"name": "rival", "org": "rivals", "team": "platform", "role": "team_admin"}


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    made = Gate(tmp_path, CONFIG + "admin: {secret: env:BASCULE_ADMIN}\n")
    yield made
    made.service.gateway.close()


def scopes(body: dict[str, list[dict[str, str]]]) -> set[str]:
    return {one["scope"] for one in (*body["data"], *body["defined"])}


def test_a_namesake_of_another_organisation_reads_no_budget_of_the_team(gate: Gate) -> None:
    async def attack() -> None:
        before = (await gate("lead", "GET", "/budgets")).json
        assert "team:platform" in scopes(before), "nobody would see it anyway, so nothing is proved"
        secret = (await gate("admin", "POST", "/keys", RIVAL)).json["secret"]
        gate.attempt(cost=7)
        gate.drain()
        seen = (await gate(None, "GET", "/budgets", secret=secret)).json
        assert scopes(seen) == set()
        assert "team:platform" not in scopes((await gate("lead", "GET", "/budgets")).json)
        assert "team:platform" in scopes((await gate("admin", "GET", "/budgets")).json)

    asyncio.run(attack())


def test_a_namesake_reaches_no_key_of_the_team(gate: Gate) -> None:
    async def attack() -> None:
        secret = (await gate("admin", "POST", "/keys", RIVAL)).json["secret"]
        await gate("admin", "POST", "/keys", {"name": "mate", "org": "acme", "team": "platform"})
        listed = (await gate(None, "GET", "/keys", secret=secret)).json["data"]
        assert {one["name"] for one in listed} == {"rival"}
        cap = {"scope": "key:mate", "window": "day", "limit_usd": 0}
        for method, path, body in (
            ("PATCH", "/keys/mate", {"overlap_s": 0}),
            ("DELETE", "/keys/mate", None),
            ("POST", "/keys", {"name": "spy", "org": "acme"}),
            ("POST", "/keys", {"name": "mate"}),
            ("POST", "/budgets", cap),
            ("POST", "/budgets", {**cap, "scope": "team:platform"}),
        ):
            answer = await gate(None, method, path, body, secret=secret)
            assert answer.status in (403, 409), (method, path, answer.body)

    asyncio.run(attack())
