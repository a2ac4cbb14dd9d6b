"""Keys through the API: made, rotated, revoked, and bounded by who makes them."""

from typing import Any

import pytest
from tests.unit.server.conftest import CONFIG

from bascule.model.policy import DataPolicy, KeyPolicy, Protect, RateLimit
from bascule.server.admin.access import Caller
from bascule.server.admin.parent import may_end, may_hold

LEAD = KeyPolicy(
    name="lead",
    org="acme",
    team="platform",
    project="web",
    models=("auto", "small"),
    max_output_tokens=4000,
    rate=RateLimit(rpm=60, tpm=9000, in_flight=5),
    tags={"cost": "web"},
    role="team_admin",
    expires_ms=2_000_000_000_000,
    user="ann",
    protect=Protect(personal="redact", secrets="block"),
    data=DataPolicy(retention="30d", training=False, providers_deny=("q",)),
)
LEADER = Caller(by="key:lead", role="team_admin", policy=LEAD)


def child(**changes: Any) -> KeyPolicy:
    given: dict[str, Any] = {name: getattr(LEAD, name) for name in LEAD.__struct_fields__}
    return KeyPolicy(**(given | {"name": "child", "role": "member"} | changes))


async def test_a_new_key_works_at_once_and_its_secret_is_shown_once(gate: Any) -> None:
    body = {"name": "new", "org": "acme", "team": "web", "models": ["small"], "rpm": 9, "tags": {"a": "b"}}
    made = await gate("admin", "POST", "/keys", body)
    assert made.status == 201
    secret = made.json["secret"]
    found = gate.service.keys.lookup(secret.encode())
    assert found == KeyPolicy(
        name="new", org="acme", team="web", models=("small",), rate=RateLimit(rpm=9), tags={"a": "b"}, source="store"
    )
    assert gate.trail == [("admin", "key.create", made.json["key_id"])]
    listed = await gate("admin", "GET", "/keys")
    assert secret.encode() not in listed.body
    assert secret not in str(list(gate.service.store.governance.audit()))
    names = {key["name"]: (key["source"], key["state"], key["key_id"]) for key in listed.json["data"]}
    assert names["new"] == ("store", "active", made.json["key_id"])
    assert names["ci"] == ("config", "active", None)


async def test_names_are_taken_once(gate: Any) -> None:
    assert (await gate("admin", "POST", "/keys", {"name": "new"})).status == 201
    assert (await gate("admin", "POST", "/keys", {"name": "new"})).status == 409
    assert (await gate("admin", "DELETE", "/keys/new")).json == {"name": "new", "revoked": 1}
    assert (await gate("admin", "POST", "/keys", {"name": "new"})).status == 201


async def test_keys_of_the_file_are_read_only(gate: Any) -> None:
    for answer in (
        await gate("admin", "POST", "/keys", {"name": "ci"}),
        await gate("admin", "PATCH", "/keys/ci", {"overlap_s": 0}),
        await gate("admin", "DELETE", "/keys/ci"),
    ):
        assert answer.status == 409
        assert "configuration file" in answer.json["error"]["message"]
    assert gate.trail == []


async def test_rotation_with_an_overlap_keeps_both_secrets_good(gate: Any) -> None:
    old = (await gate("admin", "POST", "/keys", {"name": "a/b c", "models": ["small"]})).json
    turned = await gate("admin", "PATCH", "/keys/a/b c", {"overlap_s": 3600})
    assert turned.status == 200
    now_ms = gate.service.gateway.clock.now_ms()
    before, after = (gate.service.keys.lookup(s.encode()) for s in (old["secret"], turned.json["secret"]))
    assert before.models == after.models == ("small",)
    assert now_ms + 3_500_000 < before.expires_ms < now_ms + 3_700_000
    assert after.expires_ms is None
    states = {key["key_id"]: key["state"] for key in (await gate("admin", "GET", "/keys")).json["data"]}
    assert (states[old["key_id"]], states[turned.json["key_id"]]) == ("ending", "active")
    assert [action for _, action, _ in gate.trail] == ["key.create", "key.rotate", "key.revoke"]


async def test_rotation_without_overlap_ends_the_old_secret(gate: Any) -> None:
    old = (await gate("admin", "POST", "/keys", {"name": "x", "role": "auditor"})).json
    new = (await gate("admin", "PATCH", "/keys/x", {"overlap_s": 0})).json
    assert (await gate(None, "GET", "/keys", secret=old["secret"])).status == 401
    assert (await gate(None, "GET", "/keys", secret=new["secret"])).status == 200


async def test_rotating_takes_a_word_about_the_old_secret(gate: Any) -> None:
    await gate("admin", "POST", "/keys", {"name": "x"})
    assert (await gate("admin", "PATCH", "/keys/x", {})).status == 400


async def test_an_id_is_revoked_alone(gate: Any) -> None:
    old = (await gate("admin", "POST", "/keys", {"name": "x", "role": "auditor"})).json
    new = (await gate("admin", "PATCH", "/keys/x", {"overlap_s": 3600})).json
    assert (await gate("admin", "DELETE", f"/keys/{old['key_id']}")).json["revoked"] == 1
    assert (await gate(None, "GET", "/keys", secret=old["secret"])).status == 401
    assert (await gate(None, "GET", "/keys", secret=new["secret"])).status == 200


async def test_unknown_keys(gate: Any) -> None:
    assert (await gate("admin", "PATCH", "/keys/none", {"overlap_s": 0})).status == 404
    assert (await gate("admin", "DELETE", "/keys/none")).status == 404


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"name": ""}, "name"),
        ({"name": " x"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": 5}, "name"),
        ({"name": "x", "models": [""]}, "models"),
        ({"name": "x", "models": "small"}, "models"),
        ({"name": "x", "rpm": 0}, "rpm"),
        ({"name": "x", "max_output_tokens": -1}, "max_output_tokens"),
        ({"name": "x", "role": "root"}, "role"),
        ({"name": "x", "expires": "2001-01-01"}, "expires"),
        ({"name": "x", "expires": "soon"}, "expires"),
        ({"name": "x", "tags": {"": "y"}}, "tags"),
        ({"name": "x", "limit_usd": 3}, None),
        ({"name": "x", "data": {"retention": "long"}}, "data.retention"),
        ({"name": "x", "data": {"region": ["eu"]}}, "data"),
        ({"name": "x", "data": {"providers": {"allow": [""]}}}, "data.providers.allow[0]"),
        ({}, None),
        ([], None),
    ],
)
async def test_bad_bodies_are_400_with_the_field(gate: Any, body: Any, param: str | None) -> None:
    answer = await gate("admin", "POST", "/keys", body)
    assert (answer.status, answer.json["error"]["type"]) == (400, "invalid_request_error")
    assert answer.json["error"]["param"] == param or body in ({"name": "\ud800"},)
    assert gate.trail == []


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b'{"name":"\xff"}', b"[" * 60_000, b'{"name":' + b"[" * 60_000])
async def test_bytes_that_are_no_body_are_400(gate: Any, raw: bytes) -> None:
    assert (await gate("admin", "POST", "/keys", parts=(raw,))).status == 400


async def test_a_large_body_is_413(gate: Any) -> None:
    answer = await gate("admin", "POST", "/keys", parts=[b" " * 40_000, b" " * 40_000])
    assert (answer.status, answer.json["error"]["type"]) == (413, "request_too_large")


async def test_an_expiry_date_is_the_end_of_that_day(gate: Any) -> None:
    made = await gate("admin", "POST", "/keys", {"name": "x", "expires": "2999-12-30"})
    assert made.json["expires"] == "2999-12-31T00:00:00.000Z"


async def test_a_team_administrator_sees_its_team_alone(gate: Any) -> None:
    await gate("admin", "POST", "/keys", {"name": "other", "org": "acme", "team": "web"})
    await gate("admin", "POST", "/keys", {"name": "same team, other org", "org": "evil", "team": "platform"})
    listed = (await gate("lead", "GET", "/keys")).json["data"]
    assert {key["name"] for key in listed} == {"ci", "lead"}


async def test_a_child_inherits_what_was_not_said(gate: Any) -> None:
    made = await gate("lead", "POST", "/keys", {"name": "child", "rpm": 10})
    assert made.status == 201
    policy = gate.service.keys.lookup(made.json["secret"].encode())
    assert (policy.org, policy.team, policy.models, policy.max_output_tokens, policy.rate.rpm, policy.tags) == (
        "acme", "platform", ("auto", "small"), 4000, 10, {"cost": "web"}
    )  # fmt: skip
    assert gate.trail == [("key:lead", "key.create", made.json["key_id"])]


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"org": "other"}, None),
        ({"team": "web"}, None),
        ({"models": ["auto", "big"]}, "models"),
        ({"models": []}, "models"),
        ({"max_output_tokens": 4001}, "max_output_tokens"),
        ({"rpm": 61}, "rpm"),
        ({"tags": {"cost": "api"}}, "tags"),
        ({"role": "admin"}, "role"),
        ({"role": "auditor"}, "role"),
    ],
)
async def test_a_child_never_exceeds_its_parent(gate: Any, changes: dict[str, Any], param: str | None) -> None:
    answer = await gate("lead", "POST", "/keys", {"name": "child", **changes})
    assert (answer.status, answer.json["error"]["param"]) == (403, param)
    assert gate.trail == []


@pytest.mark.parametrize(
    "excess",
    [{"project": "api"}, {"project": None}, {"expires_ms": None}, {"expires_ms": 2_000_000_000_001},
     {"rate": RateLimit(rpm=60, tpm=None, in_flight=5)}, {"rate": RateLimit(rpm=60, tpm=9000, in_flight=6)},
     {"tags": {}}, {"max_output_tokens": None}, {"models": ("auto", "small", "local/x")}, {"org": None},
     {"protect": Protect(personal="redact")}, {"user": None}, {"user": "bob"}, {"data": DataPolicy()},
     {"data": DataPolicy(retention="31d", training=False, providers_deny=("q",))},
     {"data": DataPolicy(retention="30d", training=False)}],
)  # fmt: skip
def test_every_bound_of_the_parent_holds(excess: dict[str, Any]) -> None:
    assert may_hold(LEADER, child()) is None
    assert may_hold(LEADER, child(tags={"cost": "web", "more": "x"}, role="team_admin")) is None
    assert may_hold(LEADER, child(**excess)) is not None


def test_revoking_takes_nothing_but_the_team_and_a_role_that_is_not_above() -> None:
    assert may_end(LEADER, child(models=(), project=None)) is None
    assert may_end(LEADER, child(role="admin")) is not None
    assert may_end(LEADER, child(team="web")) is not None


async def test_the_secret_of_a_greater_key_is_not_had_by_rotating_it(gate: Any) -> None:
    await gate("admin", "POST", "/keys", {"name": "deputy", "org": "acme", "team": "platform", "role": "admin"})
    await gate("admin", "POST", "/keys", {"name": "wide", "org": "acme", "team": "platform"})
    await gate("admin", "POST", "/keys", {"name": "other", "org": "acme", "team": "web"})
    for name in ("deputy", "wide", "other"):
        answer = await gate("lead", "PATCH", f"/keys/{name}", {"overlap_s": 0})
        assert (answer.status, "secret" in answer.json) == (403, False)
    assert (await gate("lead", "DELETE", "/keys/deputy")).status == 403
    assert (await gate("lead", "DELETE", "/keys/other")).status == 403
    assert (await gate("lead", "DELETE", "/keys/wide")).status == 200


async def test_a_key_named_like_another_teams_id_does_not_end_that_one(gate: Any) -> None:
    other = (await gate("admin", "POST", "/keys", {"name": "other", "role": "auditor"})).json
    assert (await gate("lead", "POST", "/keys", {"name": other["key_id"]})).status == 201
    assert (await gate("lead", "DELETE", f"/keys/{other['key_id']}")).status == 403
    assert (await gate(None, "GET", "/keys", secret=other["secret"])).status == 200


async def test_a_team_administrator_made_by_one_is_bounded_too(gate: Any) -> None:
    made = (await gate("lead", "POST", "/keys", {"name": "sub", "role": "team_admin", "models": ["small"]})).json
    answer = await gate(None, "POST", "/keys", {"name": "x", "models": ["auto"]}, secret=made["secret"])
    assert answer.status == 403
    assert (await gate(None, "POST", "/keys", {"name": "x"}, secret=made["secret"])).json["models"] == ["small"]


async def test_a_data_policy_is_kept_and_inherited(gate: Any) -> None:
    data = {"retention": "none", "training": False, "regions": ["eu"], "providers": {"deny": ["q"]}}
    made = (await gate("admin", "POST", "/keys", {"name": "tight", "org": "acme", "team": "web", "data": data,
                                                  "role": "team_admin"})).json  # fmt: skip
    assert made["data"] == data
    policy = gate.service.keys.lookup(made["secret"].encode())
    assert policy.data == DataPolicy(retention="none", training=False, regions=("eu",), providers_deny=("q",))
    child = await gate(None, "POST", "/keys", {"name": "child"}, secret=made["secret"])
    assert child.json["data"] == data
    for wider in ({}, {**data, "retention": "1d"}, {**data, "regions": ["eu", "us"]}, {**data, "providers": {}}):
        answer = await gate(None, "POST", "/keys", {"name": "wide", "data": wider}, secret=made["secret"])
        assert (answer.status, answer.json["error"]["param"]) == (403, "data")
    tighter = {**data, "zdr": True, "providers": {"deny": ["q", "r"]}}
    assert (await gate(None, "POST", "/keys", {"name": "own", "data": tighter}, secret=made["secret"])).status == 201


async def test_a_budget_of_its_own_is_not_escaped_through_another_key(gate: Any) -> None:
    await gate("admin", "POST", "/keys", {"name": "mate", "org": "acme", "team": "platform", "models": ["small"],
                                          "max_output_tokens": 1, "rpm": 1, "tags": {"cost": "web"}})  # fmt: skip
    assert (await gate("lead", "POST", "/keys", {"name": "before"})).status == 201
    await gate("admin", "POST", "/budgets", {"scope": "key:lead", "limit_usd": 5, "window": "day"})
    for answer in (
        await gate("lead", "POST", "/keys", {"name": "after"}),
        await gate("lead", "PATCH", "/keys/mate", {"overlap_s": 0}),
    ):
        assert answer.status == 403
        assert "budget of its own" in answer.json["error"]["message"]
    assert (await gate("lead", "DELETE", "/keys/before")).status == 200


async def test_the_name_of_another_teams_key_is_not_taken_over(gate: Any) -> None:
    await gate("admin", "POST", "/keys", {"name": "gone", "org": "acme", "team": "web"})
    await gate("admin", "DELETE", "/keys/gone")
    assert (await gate("lead", "POST", "/keys", {"name": "gone"})).status == 409
    assert (await gate("admin", "POST", "/keys", {"name": "gone"})).status == 409, "nor by mistake"
    assert (await gate("admin", "POST", "/keys", {"name": "gone", "org": "acme", "team": "web"})).status == 201


async def test_what_is_looked_for_is_inherited(make_gate: Any) -> None:
    config = CONFIG.replace("role: team_admin}\n  lost", "role: team_admin, protect: {secrets: block}}\n  lost")
    gate = make_gate(config)
    made = (await gate("lead", "POST", "/keys", {"name": "child"})).json
    assert gate.service.keys.lookup(made["secret"].encode()).protect == Protect(secrets="block")
    await gate("admin", "POST", "/keys", {"name": "open", "org": "acme", "team": "platform", "models": ["small"],
                                          "max_output_tokens": 1, "rpm": 1, "tags": {"cost": "web"}})  # fmt: skip
    answer = await gate("lead", "PATCH", "/keys/open", {"overlap_s": 0})
    assert (answer.status, answer.json["error"]["param"]) == (403, "protect")
