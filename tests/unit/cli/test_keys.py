from pathlib import Path
from typing import Any

from bascule.compose import open_store, read_document
from bascule.storage.keys import KeyRing, open_pepper

KEYS = {
    "name", "key_id", "state", "source", "org", "team", "project", "user", "models", "max_output_tokens", "rpm", "tpm",
    "in_flight", "tags", "role", "expires", "data", "created", "revoked",
}  # fmt: skip


def ring(place: Path) -> KeyRing:
    store = open_store(place / "data", read_document(None, {}).config)
    return KeyRing(open_pepper(store.data_dir), store.governance)


def test_create_shows_the_secret_once(run: Any, place: Path) -> None:
    made = run(
        "keys", "create", "bot", "--org", "acme", "--team", "web", "--models", "auto, small", "--rpm", "60",
        "--tpm", "100000", "--in-flight", "5", "--max-output-tokens", "4000", "--expires", "30d", "--tag", "env=ci",
        "--json",
    )  # fmt: skip
    assert made.code == 0, made.err
    assert set(made.json) == {*KEYS, "secret"}
    secret = made.json["secret"]
    policy = ring(place).lookup(secret.encode())
    assert policy is not None
    assert (policy.name, policy.org, policy.models, policy.rate.rpm) == ("bot", "acme", ("auto", "small"), 60)
    assert policy.tags == {"env": "ci"}
    listed = run("keys", "list", "--json")
    assert secret not in listed.out
    assert secret.rpartition("-")[2] not in listed.out
    by_name = {key["name"]: key for key in listed.json}
    assert set(by_name["bot"]) == KEYS
    assert (by_name["bot"]["source"], by_name["ci"]["source"]) == ("store", "config")
    assert by_name["bot"]["state"] == "active"
    assert "a-key-of-thirty-two" not in listed.out


def test_a_secret_alone_on_standard_output(run: Any, place: Path) -> None:
    made = run("keys", "create", "bot")
    assert ring(place).lookup(made.out.strip().encode()) is not None


def test_rotate_and_revoke(run: Any, place: Path) -> None:
    old = run("keys", "create", "bot").out.strip()
    new = run("keys", "rotate", "bot", "--overlap", "24h").out.strip()
    assert new != old
    states = [key["state"] for key in run("keys", "list", "--json").json if key["name"] == "bot"]
    assert sorted(states) == ["active", "ending"]
    revoked = run("keys", "revoke", "bot", "--json")
    assert revoked.json["name"] == "bot"
    states = [key["state"] for key in run("keys", "list", "--json").json if key["name"] == "bot"]
    assert states == ["revoked", "revoked"]
    assert run("keys", "revoke", "bot").code == 1
    assert run("keys", "rotate", "nobody").code == 1


def test_keys_of_the_file_are_read_only(run: Any, place: Path) -> None:
    for action in ("create", "rotate", "revoke"):
        found = run("keys", action, "ci")
        assert found.code == 1
        assert "bascule.yaml" in found.err


def test_wrong_use(run: Any, place: Path) -> None:
    run("keys", "create", "bot")
    assert run("keys", "create", "bot").code == 1
    assert run("keys", "create", " ").code == 2
    assert run("keys", "create", "x", "--rpm", "0").code == 2
    assert run("keys", "create", "x", "--expires", "2020-01-01").code == 2
    assert run("keys", "create", "x", "--expires", "soon").code == 2
    assert run("keys", "create", "x", "--tag", "nothing").code == 2
    assert run("keys", "rotate", "bot", "--overlap", "long").code == 2
    assert run("keys", "create", "x", "--role", "king").code == 2


def test_an_expiry_is_shown_to_the_second(run: Any, place: Path) -> None:
    run("keys", "create", "bot", "--expires", "2027-01-31T12:00:00Z")
    assert " 2027-01-31T12:00:00Z " in run("keys", "list").out
    (bot,) = [key for key in run("keys", "list", "--json").json if key["name"] == "bot"]
    assert bot["expires"] == "2027-01-31T12:00:00.000Z"
