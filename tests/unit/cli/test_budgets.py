from pathlib import Path
from typing import Any

import pytest

from bascule.cli import budgets as budgets_module
from bascule.model.entry import HeldScope

NOON = 1_795_262_400_000
KEYS = {"scope", "window_id", "limit_usd", "settled_usd", "held_usd", "left_usd", "idle_usd", "mode"}


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets_module, "now_ms", lambda: NOON)


def shown(run: Any) -> dict[tuple[str, str], dict[str, Any]]:
    found = run("budgets", "show", "--json")
    assert found.code == 0, found.err
    return {(state["scope"], state["window_id"]): state for state in found.json}


def test_before_anything_was_spent(run: Any, place: Path) -> None:
    states = shown(run)
    assert states["key:ci", "2026-11-21"] == {
        "scope": "key:ci", "window_id": "2026-11-21", "limit_usd": "50.000000000", "settled_usd": "0.000000000",
        "held_usd": "0.000000000", "left_usd": "50.000000000", "idle_usd": "0.000000000", "mode": "strict",
    }  # fmt: skip
    assert not (place / "data").exists()


def test_settled_and_held_by_a_running_gateway(run: Any, book: Any) -> None:
    book.attempt(cost=1_000_000_000)
    book.attempt(cost=None)  # unknown: its hold
    book.drain()
    book.attempt(cost=5)
    book.attempt(end=None)  # open, and only in the journal
    book.attempt(cost=7, start=NOON - 86_400_000, held=(HeldScope("key:ci", "2026-11-20"),))
    # Begun before midnight, held in the day after: it belongs to that day.
    midnight = NOON - 12 * 3_600_000
    book.attempt(cost=11, start=midnight - 1, held=(HeldScope("key:ci", "2026-11-21"),))
    state = shown(run)["key:ci", "2026-11-21"]
    assert set(state) == KEYS
    assert state["settled_usd"] == "1.002000016"
    assert state["held_usd"] == "0.002000000"
    assert state["left_usd"] == "48.995999984"
    assert shown(run)["team:platform", "2026-11"]["settled_usd"] == "1.002000023"


def test_patterns_show_who_spent(run: Any, book: Any) -> None:
    assert run("budgets", "set", "user:*", "--limit-usd", "1.5", "--window", "total", "--mode", "expected").code == 0
    assert not [scope for scope, _ in shown(run) if scope.startswith("user")]
    book.attempt(user="ann", cost=2_000_000_000)
    state = shown(run)["user:ann", "total"]
    assert (state["left_usd"], state["mode"]) == ("-0.500000000", "expected")
    assert run("budgets", "show", "user:ann").code == 0
    assert run("budgets", "show", "user:bob").code == 1


def test_set_list_remove(run: Any, place: Path) -> None:
    made = run(
        "budgets", "set", "team:web", "--limit-usd", "0.01", "--window", "month", "--on-exhausted", "degrade",
        "--alert", "0.5", "--json",
    )  # fmt: skip
    assert made.json == {
        "scope": "team:web", "window": "month", "limit_usd": "0.010000000", "mode": "strict",
        "on_exhausted": "degrade", "alerts": [0.5], "source": "store",
    }  # fmt: skip
    run("budgets", "set", "team:web", "--limit-usd", "0.02", "--window", "month")
    listed = {(b["scope"], b["window"]): b for b in run("budgets", "list", "--json").json}
    assert listed["team:web", "month"]["limit_usd"] == "0.020000000"
    assert listed["key:ci", "day"]["source"] == "config"
    assert "team:web" in run("budgets", "list").out
    assert run("budgets", "remove", "team:web", "--window", "month").code == 0
    assert run("budgets", "remove", "team:web", "--window", "month").code == 1


def test_the_file_s_own_are_read_only(run: Any, place: Path) -> None:
    found = run("budgets", "set", "key:ci", "--limit-usd", "1", "--window", "day")
    assert found.code == 1
    assert "bascule.yaml" in found.err
    assert run("budgets", "remove", "key:ci", "--window", "day").code == 1
    assert run("budgets", "set", "key:ci", "--limit-usd", "1", "--window", "hour").code == 0


def test_wrong_use(run: Any, place: Path) -> None:
    assert run("budgets", "set", "planet:earth", "--limit-usd", "1", "--window", "day").code == 2
    assert run("budgets", "set", "tag:x", "--limit-usd", "1", "--window", "day").code == 2
    assert run("budgets", "set", "team:x", "--limit-usd", "much", "--window", "day").code == 2
    assert run("budgets", "set", "team:x", "--limit-usd", "-1", "--window", "day").code == 2
    assert run("budgets", "set", "team:x", "--limit-usd", "0.0000000001", "--window", "day").code == 2
    assert run("budgets", "set", "team:x", "--limit-usd", "1").code == 2
    assert run("budgets", "set", "team:x", "--limit-usd", "1", "--window", "year").code == 2


def test_a_budget_of_a_key_that_is_not_there_is_set_with_a_warning(run: Any, place: Path) -> None:
    found = run("budgets", "set", "key:cii", "--limit-usd", "1", "--window", "day", "--json")
    assert found.code == 0
    assert found.json["scope"] == "key:cii"
    assert "there is no key 'cii'" in found.err
    assert "Did you mean `ci`?" in found.err
    assert ("key:cii", "2026-11-21") in shown(run)
    run("keys", "create", "bot")
    for scope in ("key:bot", "team:nobody"):
        assert run("budgets", "set", scope, "--limit-usd", "1", "--window", "day").err == ""
