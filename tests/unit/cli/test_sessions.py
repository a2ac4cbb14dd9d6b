from typing import Any

from bascule.model.usage import Usage


def fill(book: Any) -> None:
    claude = {"session_id": "s1", "client": "claude-cli/2.1.197", "branch": "main"}
    book.attempt(model="big", cost=5_000_000, **claude)
    book.attempt(model="big", cost=2_000_000, start=1_795_262_410_000, **claude)
    book.drain()
    cached = Usage(tokens_in=100, tokens_cache_read=300, tokens_out=50, source="reported")
    for second in (4, 5):
        book.attempt(
            model="small", cost=1_500_000, agent_id="helper", parent_id="main-1", usage=cached,
            start=1_795_262_400_000 + second * 1_000, **claude,
        )  # fmt: skip
    book.attempt(session_id="other", cost=None)
    book.attempt()


def test_cost_per_agent(run: Any, book: Any) -> None:
    fill(book)
    found = run("sessions", "--json")
    assert found.code == 0, found.err
    by_id = {session["session_id"]: session for session in found.json}
    assert set(by_id) == {"s1", "other", None}
    session = by_id["s1"]
    assert session["cost_usd"] == "0.010000000"
    assert (session["requests"], session["attempts"]) == (4, 4)
    assert session["models"] == ["big", "small"]
    assert session["client"] == "claude-cli/2.1.197"
    assert session["duration_s"] == 10.5
    main, helper = session["agents"]
    assert (main["agent_id"], main["main"], main["cost_usd"], main["cost_share"]) == (None, True, "0.007000000", 0.7)
    assert (helper["agent_id"], helper["main"], helper["cost_usd"]) == ("helper", False, "0.003000000")
    assert helper["parent_id"] == "main-1"
    assert helper["prompt_cache_share"] == 0.75
    assert by_id["other"]["cost_usd"] is None
    assert by_id["other"]["unpriced_attempts"] == 1


def test_the_table_names_agents(run: Any, book: Any) -> None:
    fill(book)
    table = run("sessions").out
    assert "helper" in table
    assert "$0.0030" in table
    assert "1 more" in run("sessions", "--limit", "2").out


def test_show(run: Any, book: Any) -> None:
    fill(book)
    document = run("sessions", "show", "s1", "--json").json
    assert [line["agent_id"] for line in document["request_list"]] == [None, "helper", "helper", None]
    assert document["request_list"][0]["cost_usd"] == "0.005000000"
    table = run("sessions", "show", "s1").out
    assert "helper" in table
    requests = table.partition("start")[2].splitlines()
    assert ["75.0 %" in line for line in requests[1:] if "helper" in line] == [True, True], "the share of each request"
    bare = run("sessions", "s1")
    assert bare.code == 2
    assert "bascule sessions show s1" in bare.err
    unknown = run("sessions", "show", "nope")
    assert unknown.code == 1
    assert "nope" in unknown.err
