"""A team's administrator sends values at the ends of what can be said. Each is refused, and nothing is broken by it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.server.conftest import CONFIG, Gate

HUGE = ("1e999999999", "1e-999999999", "-1e999999999", "9" * 4_000, '"1e999999999"', '"NaN"', '"Infinity"', "1e400")
TIMES = ("9999-12-31", "9999", "9999-W52", "9999-12", "9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59-12:00",
         "999999w", "0001-01-01T00:00:00+14:00", "10000-01-01", "2027-02-30", "", " ", "\x00", "1" * 5_000)  # fmt: skip
REFUSED = (400, 403, 404, 409)


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    made = Gate(tmp_path, CONFIG + "admin: {secret: env:BASCULE_ADMIN}\n")
    yield made
    made.service.gateway.close()


async def all_is_well(gate: Gate) -> None:
    for path in ("/keys", "/budgets", "/audit"):
        for who in ("admin", "look"):
            assert (await gate(who, "GET", path)).status == 200, path
    assert (await gate("lead", "GET", "/keys")).status == 200


def test_an_expiry_that_cannot_be_written_down_is_refused(gate: Gate) -> None:
    async def attack() -> None:
        for number, time in enumerate(TIMES):
            answer = await gate("lead", "POST", "/keys", {"name": f"k{number}", "expires": time})
            assert answer.status in REFUSED, (time, answer.body)
        assert (await gate("lead", "POST", "/keys", {"name": "late", "expires": "9999-12-30"})).status == 201
        await all_is_well(gate)

    asyncio.run(attack())


@pytest.mark.parametrize("amount", HUGE)
def test_an_amount_without_end_is_refused(gate: Gate, amount: str) -> None:
    async def attack() -> None:
        body = b'{"scope":"key:lead","window":"day","limit_usd":%b}' % amount.encode()
        for who in ("lead", "admin"):
            answer = await gate(who, "POST", "/budgets", parts=(body,))
            assert answer.status in REFUSED, answer.body
        await all_is_well(gate)

    asyncio.run(attack())


@pytest.mark.parametrize("word", ["since", "until"])
def test_a_period_without_end_is_answered_or_refused(gate: Gate, word: str) -> None:
    async def attack() -> None:
        for time in TIMES:
            for path in ("/ledger", "/reports", "/sessions"):
                target = f"{path}?{word}={time.replace('+', '%2B').replace(' ', '%20')}"
                answer = await gate("look", "GET", target)
                assert answer.status in (200, 400), (target, answer.body)

    asyncio.run(attack())


def test_names_that_look_like_something_else_are_names(gate: Gate) -> None:
    async def attack() -> None:
        key_id = (await gate("admin", "POST", "/keys", {"name": "theirs", "team": "web"})).json["key_id"]
        mine: dict[str, Any] = (await gate("lead", "POST", "/keys", {"name": key_id})).json
        assert mine["name"] == key_id
        for method, body in (("DELETE", None), ("PATCH", {"overlap_s": 0})):
            ended = await gate("lead", method, f"/keys/{key_id}", body)
            assert ended.status in (200, 403), ended.body
        stored = gate.service.store.governance.keys()
        assert [key.revoked_ms for key in stored if key.key_id == key_id] == [None], (
            "a key of another team was ended through a name"
        )

    asyncio.run(attack())
