from typing import Any

from bascule.model.session_outcome import SessionOutcome


def fill(book: Any) -> None:
    book.attempt(session_id="s1", branch="login", cost=6_000_000)
    book.attempt(session_id="s1", branch="main", cost=1_000_000)
    book.attempt(session_id="s2", branch="search", cost=2_000_000)
    book.attempt(session_id="s3", branch="cart", cost=4_000_000)
    book.attempt(session_id="s4", cost=None)
    book.attempt(cost=500_000)
    book.drain()


def test_cost_per_outcome(run: Any, book: Any) -> None:
    fill(book)
    assert run("outcome", "s1", "merged", "--source", "ci").code == 0
    assert run("outcome", "s2", "abandoned", "--source", "ci").code == 0
    document = run("outcomes", "--json").json
    assert document["cost_usd"] == "0.013500000"
    assert document["per_merged"] == {
        "outcomes": 1, "unknown": 2, "cost_usd": "0.013500000", "low_usd": "0.004500000", "high_usd": "0.013500000",
    }  # fmt: skip
    assert {state["state"]: state["cost_usd"] for state in document["states"]} == {
        "merged": "0.007000000", "abandoned": "0.002000000", "unknown": "0.004000000", "no session": "0.000500000",
    }  # fmt: skip
    assert document["works_without_usage"] == 1
    text = run("outcomes", "--works", "2").out
    assert "at least $0.0135 (1 known; at least $0.004500 if all 2 of unknown fate were one too)" in text
    assert "A gap, not a zero: 1 attempts" in text
    assert "2 more; see --works." in text


def test_nothing_known(run: Any, book: Any) -> None:
    assert "Nothing was spent" in run("outcomes").out
    fill(book)
    text = run("outcomes").out
    assert "unknown, as none is known to be one; at least $0.003375 if all 4" in text


def by_outcome(document: Any) -> dict[str | None, str]:
    return {group["outcome"]: group["cost_usd"] for group in document["groups"]}


def test_a_report_by_outcome_knows_what_was_stated_and_the_tag_of_the_rest(run: Any, book: Any) -> None:
    fill(book)
    book.attempt(session_id="s5", branch="tagged", cost=8_000_000, tags={"outcome": "kept"})
    book.attempt(session_id="s2", branch="search", cost=1_000_000, tags={"outcome": "kept"})
    book.drain()
    assert by_outcome(run("report", "--by", "outcome", "--json").json) == {None: "0.013500000", "kept": "0.009000000"}
    run("outcome", "s1", "merged", "--source", "ci")
    run("outcome", "s2", "abandoned", "--source", "ci")
    found = by_outcome(run("report", "--by", "outcome", "--json").json)
    assert found == {
        "merged": "0.007000000", "abandoned": "0.003000000", "kept": "0.008000000", None: "0.004500000"
    }  # fmt: skip
    states = {state["state"]: state["cost_usd"] for state in run("outcomes", "--json").json["states"]}
    assert {name: found[name] for name in ("merged", "abandoned")} == {
        name: states[name] for name in ("merged", "abandoned")
    }
    assert "merged" in run("report", "--showback", "outcome").out


def test_what_works_of_different_fates_share_is_told_apart(run: Any, book: Any) -> None:
    book.attempt(session_id="s1", branch="login", cost=6_000_000)
    book.attempt(session_id="s1", branch="search", cost=3_000_000)
    book.attempt(session_id="s1", branch="main", cost=1_000_000)
    book.drain()
    book.store.outcomes.add(
        [
            SessionOutcome(session_id="s1", part="login", at_ms=1, outcome="merged", source="git"),
            SessionOutcome(session_id="s1", part="search", at_ms=1, outcome="abandoned", source="git"),
        ]
    )
    assert by_outcome(run("report", "--by", "outcome", "--json").json) == {
        "merged": "0.006000000", "abandoned": "0.003000000", "several": "0.001000000"
    }  # fmt: skip


def test_where_no_cost_is_known_none_is_told(run: Any, book: Any) -> None:
    book.attempt(session_id="s1", branch="login", cost=None)
    book.drain()
    run("outcome", "s1", "merged", "--source", "ci")
    document = run("outcomes", "--json").json
    assert (document["cost_usd"], document["per_merged"]["cost_usd"], document["per_merged"]["outcomes"]) == (
        None, None, 1
    )  # fmt: skip
    assert [state["cost_usd"] for state in document["states"]] == [None]
    text = run("outcomes").out
    assert "Cost per useful outcome: unknown, as no cost is known." in text
    assert "$0" not in text
