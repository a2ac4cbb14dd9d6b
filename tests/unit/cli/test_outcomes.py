from typing import Any


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
