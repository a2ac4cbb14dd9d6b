"""Names that two tenants have, of teams and of keys: neither gets a part of what is the other's."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.server.conftest import CONFIG, Gate

from bascule.model.policy import KeyPolicy
from bascule.storage.keys import KeyRing, create_key, open_pepper
from bascule.storage.sqlite.connect import open_database
from bascule.storage.sqlite.governance import SqliteGovernance

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


def test_a_name_that_was_taken_first_gives_no_part_in_who_gets_it_later(tmp_path: Path) -> None:
    """A team's administrator guesses what a key of the configuration will be called, and makes one of that name."""
    governance, hasher = SqliteGovernance(open_database(tmp_path)), open_pepper(tmp_path)
    squatter = create_key(governance, hasher, KeyPolicy(name="payroll", org="acme", team="web"), by="lead", now_ms=1)
    own = create_key(governance, hasher, KeyPolicy(name="moved", org="acme", team="ops"), by="ann", now_ms=2)
    ring = KeyRing(hasher, governance)
    assert ring.lookup(squatter.secret.encode()) is not None
    configured = [
        (b"a-secret-of-the-file", KeyPolicy(name="payroll", org="acme", team="finance", source="config")),
        (b"another-of-the-file", KeyPolicy(name="moved", org="acme", team="ops", source="config")),
    ]
    for later in (ring, KeyRing(hasher, governance)):
        later.configure(configured)
        later.refresh()
        assert later.lookup(squatter.secret.encode()) is None
        assert later.lookup(own.secret.encode()) is not None, "a team moves its own key into the file"
        assert later.lookup(b"a-secret-of-the-file") is not None
    ring.configure([])
    assert ring.lookup(squatter.secret.encode()) is not None
