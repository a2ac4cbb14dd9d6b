"""`bascule audit`, as its user sees it."""

import sqlite3
from pathlib import Path
from typing import Any


def test_the_trail_is_listed_and_holds(run: Any, place: Path) -> None:
    run("keys", "create", "one")
    run("budgets", "set", "key:one", "--limit-usd", "5", "--window", "day")
    run("keys", "revoke", "one")
    listed = run("audit", "list", "--json").json
    assert [entry["action"] for entry in listed] == ["key.create", "budget.set", "key.revoke"]
    assert [entry["seq"] for entry in run("audit", "list", "--limit", "2", "--json").json] == [2, 3]
    assert run("audit", "verify", "--json").json == {"holds": True, "entries": 3, "heads": 0, "findings": []}
    assert "all of it holds" in run("audit", "verify").out


def test_what_was_changed_is_named(run: Any, place: Path) -> None:
    run("keys", "create", "one")
    run("keys", "create", "two")
    (file,) = place.rglob("ledger.sqlite3")
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE audit SET body = replace(body, 'one', 'uno')")
    done = run("audit", "verify")
    assert done.code == 1
    assert done.err.startswith("audit entry 1: ")


def test_heads_that_were_kept_are_looked_for(run: Any, place: Path) -> None:
    run("keys", "create", "one")
    (entry,) = run("audit", "list", "--json").json
    log = place / "serve.log"
    log.write_text(f'{{"message":"audit trail stands at 1:{entry["chain"]}"}}\n' * 2)
    assert run("audit", "verify", "--log", str(log), "--json").json["heads"] == 1
    done = run("audit", "verify", "--head", f"9:{entry['chain']}")
    assert (done.code, done.err.partition(":")[0]) == (1, "audit entry 9")
    assert run("audit", "verify", "--head", "nine").code == 2
    log.write_text("nothing\n")
    assert "tells of no head" in run("audit", "verify", "--log", str(log)).err
