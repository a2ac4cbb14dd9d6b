"""Who may use the admin API: nobody by accident."""

import hashlib
from typing import Any

import pytest

LOCKED = ["/keys", "/budgets", "/ledger", "/reports", "/sessions", "/sessions/s", "/config", "/audit"]
CHANGES = [("POST", "/keys"), ("PATCH", "/keys/x"), ("DELETE", "/keys/x"), ("POST", "/budgets"),
           ("DELETE", "/budgets?scope=key:x&window=day"), ("POST", "/ledger/adjustments")]  # fmt: skip
PLAIN = """
data_dir: data
providers: {local: {dialect: openai_chat, base_url: "http://127.0.0.1:9/v1", api_key: none}}
models: {small: {endpoints: [{provider: local, model: small-up}], price: {input: 1, output: 1}}}
"""


@pytest.mark.parametrize("path", LOCKED)
async def test_nothing_is_open_without_a_known_secret(gate: Any, path: str) -> None:
    for answer in (
        await gate(None, "GET", path),
        await gate(None, "GET", path, secret="a-guess"),
        await gate(None, "GET", path, secret=hashlib.sha256(b"").hexdigest()),
        await gate(None, "GET", path, headers={"authorization": "Basic YWRtaW46YWRtaW4="}),
        await gate(None, "GET", f"{path}?key=the-admin-secret-of-this-test-00"),
    ):
        assert answer.status == 401
        assert answer.json["error"]["type"] == "authentication_error"


@pytest.mark.parametrize("path", LOCKED)
async def test_open_mode_opens_nothing_here(make_gate: Any, path: str) -> None:
    gate = make_gate(PLAIN, admin=False)
    assert gate.service.keys.is_open
    for secret in (None, "anything"):
        answer = await gate(None, "GET", path, secret=secret)
        assert answer.status == 403
        assert "admin.secret" in answer.json["error"]["message"]


async def test_changes_are_closed_in_open_mode_too(make_gate: Any) -> None:
    gate = make_gate(PLAIN, admin=False)
    assert [(await gate(None, *change, {})).status for change in CHANGES] == [403] * len(CHANGES)
    assert gate.trail == []


async def test_the_admin_secret_alone_opens_an_otherwise_open_gateway(make_gate: Any) -> None:
    gate = make_gate(PLAIN)
    assert (await gate(None, "GET", "/keys")).status == 401
    assert (await gate("admin", "GET", "/keys")).status == 200


@pytest.mark.parametrize("path", LOCKED)
async def test_a_member_may_nothing(gate: Any, path: str) -> None:
    answer = await gate("ci", "GET", path)
    assert (answer.status, answer.json["error"]["type"]) == (403, "permission_error")


async def test_without_an_admin_secret_a_member_is_told_how_to_set_one(make_gate: Any) -> None:
    answer = await make_gate(admin=False)("ci", "GET", "/keys")
    assert answer.status == 403
    assert "admin.secret" in answer.json["error"]["message"]


async def test_a_team_administrator_without_a_team_may_nothing(gate: Any) -> None:
    """Else it would look after every key that has no team."""
    assert (await gate("lost", "GET", "/keys")).status == 403


@pytest.mark.parametrize("who", ["admin", "boss", "look"])
@pytest.mark.parametrize("path", [path for path in LOCKED if path != "/sessions/s"])
async def test_administrators_and_auditors_read(gate: Any, who: str, path: str) -> None:
    assert (await gate(who, "GET", path)).status == 200
    assert (await gate(who, "HEAD", path)).status == 200


async def test_an_auditor_changes_nothing(gate: Any) -> None:
    assert [(await gate("look", *change, {})).status for change in CHANGES] == [403] * len(CHANGES)
    assert gate.trail == []


@pytest.mark.parametrize("path", [path for path in LOCKED if path not in ("/keys", "/budgets")])
async def test_a_team_administrator_reads_keys_and_budgets_only(gate: Any, path: str) -> None:
    assert (await gate("lead", "GET", path)).status == 403


async def test_a_team_administrator_does_not_correct_the_ledger(gate: Any) -> None:
    assert (await gate("lead", "POST", "/ledger/adjustments", {})).status == 403


async def test_the_secret_may_come_as_x_api_key(gate: Any) -> None:
    answer = await gate(None, "GET", "/keys", headers={"x-api-key": "the-admin-secret-of-this-test-00"})
    assert answer.status == 200


async def test_a_revoked_key_may_nothing_from_then_on(gate: Any) -> None:
    made = (await gate("admin", "POST", "/keys", {"name": "deputy", "role": "admin"})).json
    assert (await gate(None, "GET", "/keys", secret=made["secret"])).status == 200
    assert (await gate(None, "DELETE", "/keys/deputy", secret=made["secret"])).status == 200
    assert (await gate(None, "GET", "/keys", secret=made["secret"])).status == 401
    assert gate.trail[-1][:2] == ("key:deputy", "key.revoke")


async def test_who_calls_is_settled_before_the_body_is_read(gate: Any) -> None:
    assert (await gate("ci", "POST", "/keys", parts=(b"{",), leaves=True)).status == 403


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"origin": "null"}, {"origin": "http://127.0.0.1:3000"},
     {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}],
)  # fmt: skip
async def test_pages_of_other_sites_are_kept_out(gate: Any, headers: dict[str, str]) -> None:
    assert (await gate("admin", "GET", "/keys", headers=headers)).status == 403
    assert (await gate("admin", "GET", "/keys", headers={"origin": "http://127.0.0.1:8787"})).status == 200


async def test_other_hosts_are_kept_out(gate: Any) -> None:
    for hosts, status in ((["evil.example"], 403), ([], 400), (["127.0.0.1", "evil.example"], 400)):
        assert (await gate("admin", "GET", "/keys", hosts=hosts)).status == status


@pytest.mark.parametrize(
    ("who", "method", "path", "status"),
    [("admin", "GET", "/keys", 200), (None, "GET", "/keys", 401), ("ci", "GET", "/keys", 403),
     ("admin", "GET", "/nothing", 404), ("admin", "PUT", "/keys", 405), ("admin", "GET", "/ledger", 200)],
)  # fmt: skip
async def test_every_answer_is_private(gate: Any, who: str | None, method: str, path: str, status: int) -> None:
    answer = await gate(who, method, path)
    assert answer.status == status
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
