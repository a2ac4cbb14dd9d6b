"""The routes that are not hot, on a composed gateway."""

from typing import Any

import pytest
from tests.unit.server.conftest import SECRETS

from bascule.server.cold import Pages

OPEN = """
data_dir: data
providers: {local: {dialect: openai_chat, base_url: "http://127.0.0.1:9/v1", api_key: none}}
models: {small: {endpoints: [{provider: local, model: small-up}], price: {input: 1, output: 1}}}
"""
CI = {"authorization": "Bearer the-ci-key-of-this-test-00000000"}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz"])
async def test_a_process_that_lives_says_so_without_a_key(gate: Any, call: Any, method: str, path: str) -> None:
    answer = await call(gate.app, method, path)
    assert answer.status == 200
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_store_that_takes_no_lines_for_a_while_is_no_reason_to_be_taken_out_of_service(
    gate: Any, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate.service.gateway.drainer, "_last_error", "the disk is full")
    assert (await call(gate.app, "GET", "/readyz")).status == 200
    page = await call(gate.app, "GET", "/metrics", headers={"authorization": "Bearer the-admin-secret-of-this-test-00"})
    assert b"bascule_store_down 1.0" in page.body


@pytest.mark.parametrize("path", ["/v1/models", "/models", "/v1/models/small"])
async def test_behind_a_key_once_there_are_any(gate: Any, call: Any, path: str) -> None:
    assert (await call(gate.app, "GET", path)).status == 401
    assert (await call(gate.app, "GET", path, headers={"authorization": "Bearer wrong"})).status == 401
    answer = await call(gate.app, "GET", path, headers=CI)
    assert answer.status == 200
    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    ("who", "status"), [("admin", 200), ("boss", 200), ("look", 200), ("ci", 403), ("lead", 403), ("lost", 403)]
)
async def test_metrics_are_for_those_who_may_read_what_all_spend(gate: Any, call: Any, who: str, status: int) -> None:
    for headers in ({"authorization": f"Bearer {SECRETS[who]}"}, {"x-api-key": SECRETS[who]}):
        answer = await call(gate.app, "GET", "/metrics", headers=headers)
        assert answer.status == status
        assert (b"bascule_open_holds" in answer.body) == (status == 200)
        assert answer.headers["cache-control"] == "private, no-store"


async def test_metrics_ask_who_is_there(gate: Any, call: Any) -> None:
    assert (await call(gate.app, "GET", "/metrics")).status == 401
    assert (await call(gate.app, "GET", "/metrics", headers={"authorization": "Bearer wrong"})).status == 401


async def test_metrics_are_open_on_loopback_without_keys(make_gate: Any, call: Any) -> None:
    assert (await call(make_gate(OPEN, admin=False).app, "GET", "/metrics")).status == 200
    assert (await call(make_gate(OPEN).app, "GET", "/metrics")).status == 200


async def test_metrics_are_text_that_prometheus_reads(gate: Any, call: Any) -> None:
    answer = await call(gate.app, "GET", "/metrics", headers={"authorization": f"Bearer {SECRETS['admin']}"})
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert b"\nbascule_open_holds 0.0\n" in answer.body


async def test_errors_speak_the_clients_dialect(gate: Any, call: Any) -> None:
    plain = await call(gate.app, "GET", "/v1/models")
    assert plain.json["error"]["code"] == "invalid_api_key"
    anthropic = await call(gate.app, "GET", "/v1/models", headers={"anthropic-version": "2023-06-01"})
    assert (anthropic.json["type"], anthropic.json["error"]["type"]) == ("error", "authentication_error")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/nothing", 404), ("GET", "/bascule/api/nothing", 404), ("PUT", "/v1/models", 405),
     ("DELETE", "/", 405), ("GET", "/v1/models/none", 404), ("GET", "/../etc/passwd", 404)],
)  # fmt: skip
async def test_what_is_not_served_is_a_json_error(gate: Any, call: Any, method: str, path: str, status: int) -> None:
    answer = await call(gate.app, method, path, headers=CI)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["error"]["message"]


async def test_a_page_of_another_site_reaches_nothing_of_an_open_gateway(make_gate: Any, call: Any) -> None:
    gate = make_gate(OPEN, admin=False)
    for path in ("/v1/models", "/metrics", "/", "/healthz"):
        assert (await call(gate.app, "GET", path)).status == 200
        for given in ({"hosts": ("evil.example",)}, {"headers": {"origin": "https://evil.example"}},
                      {"headers": {"sec-fetch-site": "cross-site"}}, {"hosts": ()}):  # fmt: skip
            answer = await call(gate.app, "GET", path, **given)
            assert answer.status == (400 if given == {"hosts": ()} else 403)
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cache-control"] == "private, no-store"
            assert answer.headers["content-type"] == "application/json"


async def test_a_failure_shows_no_traceback(make_gate: Any, call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Pages, request: Any) -> Any:
        raise RuntimeError("the inner details")

    monkeypatch.setattr(Pages, "_key", fail)
    gate = make_gate(OPEN, admin=False)
    answers: list[Any] = []

    async def keeping(scope: Any, receive: Any, send: Any) -> None:
        async def both(message: Any) -> None:
            answers.append(message)
            await send(message)

        await gate.app(scope, receive, both)

    with pytest.raises(RuntimeError):  # for the server's log
        await call(keeping, "GET", "/v1/models")
    assert answers[0]["status"] == 500
    assert b"inner details" not in answers[1]["body"]
    assert b"Traceback" not in answers[1]["body"]


@pytest.mark.parametrize(
    ("method", "path", "given"),
    [
        ("GET", "/v1/models", {}),
        ("GET", "/metrics", {}),
        ("GET", "/nothing", {}),
        ("PUT", "/v1/models", {}),
        ("GET", "/v1/models", {"hosts": ("evil.example",)}),
        ("GET", "/v1/messages", {}),
        ("POST", "/v1/messages", {"hosts": ()}),
        ("POST", "/v1/messages", {"parts": (b"{",)}),
        ("POST", "/v1/messages", {"headers": {"content-length": "99999999"}}),
        ("POST", "/v1/messages/count_tokens", {"parts": (b"{}",)}),
    ],
)
async def test_every_error_has_an_id_to_ask_about(
    gate: Any, call: Any, method: str, path: str, given: dict[str, Any]
) -> None:
    given = dict(given)
    headers = {"anthropic-version": "2023-06-01", **given.pop("headers", {})}
    answer = await call(gate.app, method, path, headers=headers, **given)
    assert answer.status >= 400
    assert answer.json["request_id"].startswith("req_")
    assert len(answer.json["request_id"]) == 30
    assert answer.headers["x-bascule-request-id"] == answer.headers["request-id"] == answer.json["request_id"]


async def test_a_slash_too_many_is_another_path_and_no_redirect(gate: Any, call: Any) -> None:
    for target in ("/v1/models/", "/healthz/", "/bascule/api/keys/"):
        answer = await call(gate.app, "GET", target, headers={"authorization": f"Bearer {SECRETS['admin']}"})
        assert 400 <= answer.status < 500, target
        assert "location" not in answer.headers
