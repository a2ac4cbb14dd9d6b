"""Promise 31: whoever may make keys and budgets is handed greater ones in every way that the API has, and gets none.

What "greater" means is said here once more, apart from the code that refuses: by what a key lets through.
"""

import asyncio
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from msgspec import Struct
from tests.promises.conftest import Figure
from tests.unit.server.conftest import CONFIG, Answer, Gate

from bascule.decide.data_policy import violation
from bascule.model.catalog import DataFacts, Endpoint
from bascule.model.policy import KeyPolicy

MODELS = ("auto", "small", "tiny", "local/x")
ENDPOINTS = [
    Endpoint(
        id=f"{provider}/m",
        provider=provider,
        dialect="openai_chat",
        upstream_model="m",
        data=DataFacts(retention=retention, training=training, region=region, zdr=zdr),
    )
    for provider, retention, training, region, zdr in product(
        ("local", "far"), (None, "none", "12h", "30d"), (None, False), (None, "eu", "us"), (None, True)
    )
]
MODES = ("strict", "expected", "warn")


def maybe(*values: Any) -> st.SearchStrategy[Any]:
    """One of these, or nothing said."""
    return st.sampled_from([..., *values])


DATA = st.fixed_dictionaries(
    {},
    optional={
        "retention": st.sampled_from(["none", "12h", "30d"]),
        "training": st.booleans(),
        "regions": st.sampled_from([[], ["eu"], ["eu", "us"]]),
        "providers": st.sampled_from([{}, {"allow": ["local"]}, {"deny": ["far"]}, {"allow": ["local", "far"]}]),
        "zdr": st.booleans(),
    },
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "project": maybe("web", "api"),
    "user": maybe("ann", "bob"),
    "models": maybe(*[list(MODELS[:n]) for n in range(4)], ["local/x"]),
    "max_output_tokens": maybe(1, 1_000, 10**9),
    "rpm": maybe(1, 60, 10**9),
    "tpm": maybe(1, 9_000, 10**9),
    "in_flight": maybe(1, 10, 10**9),
    "tags": maybe({}, {"cost": "web"}, {"cost": "api"}, {"cost": "web", "more": "x"}),
    "expires": maybe("2999-01-01", "2999-06-01"),
    "data": st.one_of(st.just(...), DATA),
}
OWN = st.fixed_dictionaries(FIELDS)
ASKED = st.fixed_dictionaries(
    {
        **FIELDS,
        "org": maybe("acme", "evil"),
        "team": maybe("platform", "web"),
        "role": maybe("member", "team_admin", "auditor", "admin"),
    }
)


def body(fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not ...} | more


def excesses(parent: KeyPolicy, child: KeyPolicy) -> list[str]:
    """In which fields the child lets something through that its parent does not."""
    found = [name for name in ("org", "team") if getattr(child, name) != getattr(parent, name)]
    found += [
        name
        for name in ("project", "user")
        if getattr(parent, name) is not None and getattr(child, name) != getattr(parent, name)
    ]
    if not set(child.models or MODELS) <= set(parent.models or MODELS):
        found.append("models")
    for name, most, has in (
        ("max_output_tokens", parent.max_output_tokens, child.max_output_tokens),
        ("rpm", parent.rate.rpm, child.rate.rpm),
        ("tpm", parent.rate.tpm, child.rate.tpm),
        ("in_flight", parent.rate.in_flight, child.rate.in_flight),
        ("expires", parent.expires_ms, child.expires_ms),
    ):
        if (has or float("inf")) > (most or float("inf")):
            found.append(name)
    if not parent.tags.items() <= child.tags.items():
        found.append("tags")
    if child.role not in ("member", parent.role):
        found.append("role")
    if any(violation(child.data, e) is None and violation(parent.data, e) is not None for e in ENDPOINTS):
        found.append("data")
    return found


class Tally(Struct):
    """How often something was asked for, and given."""

    asked: int = 0
    given: int = 0

    def of(self, answer: Answer) -> bool:
        assert answer.status in (200, 201, 400, 403, 404, 409), answer.body
        self.asked += 1
        self.given += answer.status < 300
        return answer.status < 300


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    made = Gate(tmp_path, CONFIG + "admin: {secret: env:BASCULE_ADMIN}\n")
    yield made
    made.service.gateway.close()


def policy_of(gate: Gate, secret: str) -> KeyPolicy:
    found = gate.service.keys.lookup(secret.encode())
    assert found is not None
    return found


@pytest.mark.promise(31, fault="any key asked for, made or rotated by a team's administrator", limit="excesses 0")
def test_no_field_of_a_child_exceeds_its_parent(gate: Gate, full: bool, figure: Figure) -> None:
    made, rotated = Tally(), Tally()
    numbers = iter(range(10**9))

    async def one(own: dict[str, Any], asked: dict[str, Any], others: dict[str, Any]) -> None:
        number = next(numbers)
        whose = {"org": "acme", "team": "platform", "role": "team_admin"}
        parent = (await gate("admin", "POST", "/keys", body(own, name=f"lead-{number}", **whose))).json
        secret, lead = parent["secret"], policy_of(gate, parent["secret"])
        child = await gate(None, "POST", "/keys", body(asked, name=f"child-{number}"), secret=secret)
        if made.of(child):
            assert excesses(lead, policy_of(gate, child.json["secret"])) == []
        other = await gate("admin", "POST", "/keys", body(others, name=f"other-{number}"))
        assert other.status == 201, other.body
        turned = await gate(None, "PATCH", f"/keys/other-{number}", {"overlap_s": 0}, secret=secret)
        if rotated.of(turned):
            assert excesses(lead, policy_of(gate, turned.json["secret"])) == []
        assert ("secret" in turned.json) == (turned.status == 200)

    @seed(31)
    @settings(max_examples=1_500 if full else 60, deadline=None, database=None, derandomize=False,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(OWN, ASKED, ASKED)
    def attack(own: dict[str, Any], asked: dict[str, Any], others: dict[str, Any]) -> None:
        asyncio.run(one(own, asked, others))

    attack()
    figure("keys asked for", made.asked + rotated.asked)
    figure("given", made.given + rotated.given)
    figure("excesses", 0)
    assert made.given > 0
    assert made.given < made.asked


NEAR = {
    "project": "api", "user": "bob", "models": ["small", "auto"], "max_output_tokens": 1_001, "rpm": 61, "tpm": 9_001,
    "in_flight": 11, "tags": {"cost": "api"}, "expires": "2999-01-02", "role": "admin", "org": "evil", "team": "web",
    "data": {"retention": "30d", "training": False},
}  # fmt: skip
LEAD = {
    "org": "acme", "team": "platform", "role": "team_admin", "project": "web", "user": "ann", "models": ["small"],
    "max_output_tokens": 1_000, "rpm": 60, "tpm": 9_000, "in_flight": 10, "tags": {"cost": "web"},
    "expires": "2999-01-01", "data": {"retention": "12h", "training": False},
}  # fmt: skip


@pytest.mark.promise(31, fault="each field one step beyond, each role, each endpoint", limit="given 0")
def test_one_step_beyond_is_refused_in_every_field(gate: Gate, figure: Figure) -> None:
    async def attack() -> int:
        secret = (await gate("admin", "POST", "/keys", {**LEAD, "name": "first"})).json["secret"]
        for field, value in NEAR.items():
            wanted = {"name": f"x-{field}", field: value}
            answer = await gate(None, "POST", "/keys", wanted, secret=secret)
            assert answer.status == 403, field
            for who in ("ci", "look", "lost", None):
                assert (await gate(who, "POST", "/keys", wanted)).status in (401, 403), (who, field)
            await gate("admin", "POST", "/keys", {**LEAD, "role": "member", **wanted})
            for who, key in ((None, secret), ("ci", None), ("look", None)):
                turned = await gate(who, "PATCH", f"/keys/x-{field}", {"overlap_s": 60}, secret=key)
                assert turned.status == 403, (who, field)
        for field in FIELDS:
            unbounded = {name: value for name, value in LEAD.items() if name != field}
            await gate("admin", "POST", "/keys", {**unbounded, "role": "member", "name": f"no-{field}"})
            turned = await gate(None, "PATCH", f"/keys/no-{field}", {"overlap_s": 60}, secret=secret)
            assert turned.status == 403, f"without any {field}"
        assert (await gate(None, "POST", "/keys", {"name": "like me"}, secret=secret)).status == 201
        return len(NEAR)

    figure("fields", asyncio.run(attack()))
    assert set(NEAR) == {"org", "team", "role", *FIELDS}


@pytest.mark.promise(31, fault="caps raised, loosened, removed or left behind by a team's administrator", limit="0")
def test_a_budget_is_never_loosened_from_below(gate: Gate, figure: Figure) -> None:
    caps = st.tuples(st.integers(1, 9), st.sampled_from(MODES), st.sampled_from([[], [0.5], [0.5, 0.9]]))

    async def one(cap: tuple[int, str, list[float]], wanted: tuple[int, str, list[float]]) -> bool:
        def budget(of: tuple[int, str, list[float]]) -> dict[str, Any]:
            return {"scope": "key:mate", "window": "day", "limit_usd": of[0], "mode": of[1], "alerts": of[2]}

        assert (await gate("admin", "POST", "/budgets", budget(cap))).status == 200
        done = await gate("lead", "POST", "/budgets", budget(wanted))
        (kept,) = [one for one in gate.service.store.governance.budgets() if one.scope == "key:mate"]
        assert kept.limit_nanousd <= cap[0] * 10**9
        assert MODES.index(kept.mode) <= MODES.index(cap[1])
        assert set(cap[2]) <= set(kept.alerts)
        return done.status == 200

    taken = []

    @seed(31)
    @settings(max_examples=30, deadline=None, database=None)
    @given(caps, caps)
    def attack(cap: tuple[int, str, list[float]], wanted: tuple[int, str, list[float]]) -> None:
        taken.append(asyncio.run(one(cap, wanted)))

    async def around() -> None:
        await gate("admin", "POST", "/keys", {"name": "mate", "org": "acme", "team": "platform"})
        await gate("admin", "POST", "/keys", {"name": "web", "org": "acme", "team": "web"})

    async def beyond() -> None:
        cap = {"limit_usd": 1, "window": "day"}
        for scope in ("key:web", "team:platform", "org:acme", "key:*", "user:ann", "key:nobody", "tag:cost=web"):
            assert (await gate("lead", "POST", "/budgets", {"scope": scope, **cap})).status in (403, 409), scope
        assert (await gate("lead", "DELETE", "/budgets?scope=key:mate&window=day")).status == 403
        assert (await gate("lead", "POST", "/budgets", {"scope": "key:lead", **cap})).status == 200
        for method, path, given_body in (
            ("POST", "/keys", {"name": "spare"}),
            ("PATCH", "/keys/mate", {"overlap_s": 0}),
        ):
            answer = await gate("lead", method, path, given_body)
            assert answer.status == 403, "a key whose spending does not count in its maker's budget"

    asyncio.run(around())
    attack()
    asyncio.run(beyond())
    assert True in taken
    assert False in taken
    figure("changes asked for", len(taken))
