"""`bascule content`, as its user sees it."""

from pathlib import Path
from typing import Any

import pytest

from bascule.config.secret import Secret
from bascule.model.content import Recording
from bascule.storage.content.vault import AesVault
from bascule.storage.sqlite.content import SqliteContent

KEY = "a-content-key-of-this-test-0123456789"
ONE = Recording(attempt_id="att_1.1", request_id="req_1", ts_ms=0, user="ann", request=b"ask", answer=b"told")


@pytest.fixture
def recorded(run: Any, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "bascule.yaml").write_text("privacy: {record_content: full, content_key: env:CONTENT_KEY}\n")
    monkeypatch.setenv("CONTENT_KEY", KEY)
    run("keys", "create", "one")  # makes the store
    store = SqliteContent(place / ".bascule", AesVault([Secret(KEY.encode())]))
    store.record([ONE])
    store.close()


def actions(run: Any) -> list[tuple[str, str]]:
    return [(entry["action"], entry["target"]) for entry in run("audit", "list", "--json").json][1:]


def test_a_request_is_shown(run: Any, recorded: None) -> None:
    (one,) = run("content", "show", "req_1", "--json").json
    assert (one["request"], one["answer"], one["user"]) == ("ask", "told", "ann")
    assert "answer (0 bytes): told" in run("content", "show", "req_1").out
    done = run("content", "show", "req_2")
    assert (done.code, "nothing is recorded of 'req_2'" in done.err) == (1, True)
    assert actions(run) == [("content.show", f"req_{n}") for n in (1, 1, 2)]


def test_without_its_key_it_is_not_shown_and_may_be_erased(
    run: Any, recorded: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CONTENT_KEY")
    done = run("content", "show", "req_1")
    assert (done.code, "CONTENT_KEY is not set" in done.err) == (1, True)
    assert run("content", "erase", "--user", "bob", "--json").json == {"subject": "user:bob", "erased": 0}
    assert "user:ann: 1 recordings and replies erased" in run("content", "erase", "--user", "ann").out
    assert actions(run) == [("content.erase", "user:bob"), ("content.erase", "user:ann")]


@pytest.mark.parametrize("given", [(), ("--user", "a", "--session", "b")])
def test_whose_content_must_be_said(run: Any, recorded: None, given: tuple[str, ...]) -> None:
    assert run("content", "erase", *given).code == 2


def test_where_nothing_was_recorded(run: Any, place: Path) -> None:
    run("keys", "create", "one")
    done = run("content", "erase", "--user", "ann")
    assert (done.code, "privacy.record_content is none" in done.err) == (1, True)
    assert not list(place.rglob("content.sqlite3"))
