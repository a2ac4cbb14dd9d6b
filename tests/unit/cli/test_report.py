import csv
import io
import re
from pathlib import Path
from typing import Any

from bascule.model.usage import Usage

FIGURES = {
    "requests", "failed_requests", "request_error_share", "attempts", "failed_attempts", "attempt_error_share",
    "aborted_attempts", "open_attempts", "retries", "cost_usd", "unpriced_attempts", "held_usd", "estimated_attempts",
    "estimated_usd", "estimated_share", "retry_cost_usd", "failed_cost_usd", "tool_fees_usd", "adjusted_usd",
    "baseline_usd", "saved_usd", "saved_share", "tokens", "tokens_in", "tokens_cache_read", "tokens_cache_write_5m",
    "tokens_cache_write_1h", "tokens_out", "tokens_reasoning", "tokens_audio_in", "tokens_audio_out",
    "tokens_image_in", "tokens_image_out", "web_searches", "prompt_cache_share", "cache_hits", "cache_hit_share",
    "cost_share", "request_cost_p50_usd", "request_tokens_p50", "summed_rows",
    "summed_rows_without_requests", "latency_p50_ms", "latency_p95_ms", "ttft_p50_ms",
    "ttft_p95_ms", "sessions", "session_cost_p10_usd", "session_cost_p50_usd", "session_cost_p90_usd",
    "session_cost_p90_over_p10", "helper_cost_usd", "cache_saved_usd", "runs", "run_works", "compared_runs",
    "run_cost_p10_usd", "run_cost_p50_usd", "run_cost_p90_usd", "run_cost_p90_over_p10",
}  # fmt: skip


def fill(book: Any) -> None:
    book.attempt(model="small", cost=1_000_000, task="summarization", tags={"feature": "search"}, session_id="s1")
    book.drain()
    book.attempt(request="req_a", no=1, model="small", cost=None, settlement={"status": 500, "error_class": "reset"})
    book.attempt(request="req_a", no=2, role="retry", model="big", cost=7_000_000_001, session_id="s1")
    book.attempt(model="big", cost=3, usage=Usage(tokens_in=5, tokens_out=1, source="estimated"))
    book.attempt(model="big", end=None)


def test_groups_add_up_to_the_total(run: Any, book: Any) -> None:
    fill(book)
    found = run("report", "--by", "model", "--json")
    assert found.code == 0, found.err
    document = found.json
    assert set(document) == {
        "since", "until", "first", "last", "by", "same", "markets", "groups_total", "total", "groups",
    }  # fmt: skip
    assert set(document["total"]) == FIGURES
    assert [set(group) - FIGURES for group in document["groups"]] == [{"model"}, {"model"}]
    total = document["total"]
    assert total["cost_usd"] == "7.001000004"
    assert (total["requests"], total["attempts"], total["open_attempts"], total["unpriced_attempts"]) == (4, 5, 1, 1)
    assert total["held_usd"] == "0.002000000"
    assert total["estimated_usd"] == "0.000000003"
    assert total["retry_cost_usd"] == "7.000000001"
    by_model = {group["model"]: group for group in document["groups"]}
    assert by_model["big"]["cost_usd"] == "7.000000004"
    assert by_model["small"]["cost_usd"] == "0.001000000"
    assert by_model["small"]["unpriced_attempts"] == 1
    # The request that failed over was answered in the end.
    assert total["failed_requests"] == 0
    assert total["failed_attempts"] == 1


def test_an_unpriced_group_has_no_cost_and_says_so(run: Any, book: Any) -> None:
    book.attempt(model="mystery", cost=None)
    document = run("report", "--by", "model", "--json").json
    (group,) = document["groups"]
    assert group["cost_usd"] is None
    assert group["unpriced_attempts"] == 1
    table = run("report", "--by", "model").out
    assert "1 unpriced" in table
    assert "$0.0000" not in table


def test_tags_and_several_dimensions(run: Any, book: Any) -> None:
    fill(book)
    document = run("report", "--by", "tag:feature", "--by", "day", "--json").json
    assert document["by"] == ["tag:feature", "day"]
    found = {(group["tag:feature"], group["day"]): group["attempts"] for group in document["groups"]}
    assert found == {("search", "2026-11-21"): 1, (None, "2026-11-21"): 4}


def test_a_period_leaves_out_the_rest(run: Any, book: Any) -> None:
    fill(book)
    assert run("report", "--since", "2026-11-22", "--json").json["total"]["attempts"] == 0
    document = run("report", "--since", "2026-11", "--until", "2026-11", "--json").json
    assert (document["since"], document["until"]) == ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")
    assert document["total"]["attempts"] == 5


def test_forms(run: Any, book: Any, place: Any) -> None:
    fill(book)
    rows = list(csv.DictReader(io.StringIO(run("report", "--by", "model", "--format", "csv").out)))
    assert {row["model"]: row["cost_usd"] for row in rows} == {"big": "7.000000004", "small": "0.001000000"}
    markdown = run("report", "--by", "model", "--format", "md").out
    assert markdown.startswith("| model | requests |")
    page = run("report", "--by", "model", "--format", "html", "--out", "r.html")
    assert (page.out, page.err) == ("", "r.html written\n")
    assert '<td class="text">big</td>' in (place / "r.html").read_text()
    assert run("report", "--format", "md", "--out", "missing/r.md").code == 1
    table = run("report", "--by", "model").out
    assert "total" in table
    assert "$0.000000003" in table  # never shown as nothing
    assert "is estimated" in table


def test_a_period_without_rows_says_where_there_are_some(run: Any, book: Any) -> None:
    assert "Nothing is recorded at all." in run("report", "--month", "2026-10").out
    fill(book)
    assert run("report", "--month", "2026-10", "--by", "model").out == (
        "From 2026-10-01 to 2026-10-31 (UTC).\n"
        "Nothing is recorded in this period, only 2026-11-21: choose with --month, --since, --until.\n"
    )
    assert run("report", "--month", "2026-10", "--json").json["total"]["requests"] == 0
    assert "Nothing is recorded by codex at all." in run("report", "--origin", "codex").out


def test_the_page_counts_sessions_of_unknown_cost_too(run: Any, book: Any) -> None:
    book.attempt(session_id="s1", cost=None)
    book.attempt(session_id="s2", cost=5)
    assert "<b>2</b><span>sessions</span>" in run("report", "--format", "html").out


def test_the_page_of_nothing_in_particular_is_broken_down_by_itself(run: Any, book: Any, place: Path) -> None:
    for number in range(12):
        book.attempt(model="big", project="shop", session_id=f"s{number}", cost=(number + 1) * 1_000_000_000)
    book.attempt(model="small", project="blog", session_id="odd", cost=None)
    text = run("report", "--format", "html").out
    for heading in ("Day by day", "Markets", "In total", "By model", "By project", "Dearest sessions"):
        assert text.count(f"<h2>{heading}</h2>") == 1
    by_project, sessions = text.split("<h2>By project</h2>")[1].split("<h2>Dearest sessions</h2>")
    assert re.findall('<tr><td class="text">([a-z]+)</td>', by_project) == ["shop", "blog", "total"]
    assert re.findall('<tr><td class="text">(s[0-9]+)</td>', sessions) == [f"s{number}" for number in range(11, 1, -1)]
    assert "<h2>By project</h2>" not in run("report", "--format", "html", "--by", "model").out
    assert run("report", "--format", "svg", "--out", "r.svg").err == "r.svg written\n"


def test_a_page_without_projects_and_sessions_has_no_empty_tables(run: Any, book: Any) -> None:
    book.attempt(model="big", project=None, session_id=None, cost=5)
    text = run("report", "--format", "html").out
    assert "<h2>By model</h2>" in text
    assert "<h2>By project</h2>" not in text
    assert "<h2>Dearest sessions</h2>" not in text


def test_who_pays_and_what_to_try_are_pages_like_the_others(run: Any, book: Any) -> None:
    fill(book)
    book.attempt(model="big", team="<b>", task="classification", cost=9_000_000_000)
    bill = run("report", "--chargeback", "team", "--format", "html").out
    assert '<meta name="viewport"' in bill
    assert "<h1>Who pays what</h1>" in bill
    assert '<td class="text">&lt;b&gt;</td>' in bill
    assert "(--month" not in bill
    assert "<h1>Who used what</h1>" in run("report", "--showback", "team", "--format", "html").out
    tried = run("report", "--right-sizing", "--format", "html").out
    assert '<meta name="viewport"' in tried
    assert "Each line is a question to test" in tried


def test_names_of_others_cannot_break_the_page(run: Any, book: Any) -> None:
    book.attempt(task="<script>|=1+1")
    assert "<script>" not in run("report", "--by", "task", "--format", "html").out
    assert "\\|" in run("report", "--by", "task", "--format", "md").out
    book.attempt(task="=cmd()")
    assert "'=cmd()" in run("report", "--by", "task", "--format", "csv").out


def test_wrong_use(run: Any, book: Any) -> None:
    unknown = run("report", "--by", "colour")
    assert unknown.code == 2
    assert "provider" in unknown.err
    assert run("report", "--since", "soon").code == 2
    assert run("report", "--format", "pdf").code == 2


def test_without_a_ledger(run: Any, place: Any) -> None:
    found = run("report")
    assert found.code == 1
    assert "bascule serve" in found.err
    assert not (place / "data").exists()


def test_chargeback_adds_up_and_showback_splits_nothing(run: Any, book: Any) -> None:
    book.attempt(team="a", cost=2_000)
    book.attempt(team="b", cost=1_000)
    book.attempt(team=None, cost=100)
    book.attempt(team="b", cost=200, tags={"shared": "true"})
    document = run("report", "--chargeback", "team", "--shared", "spend", "--json").json
    assert {one["owner"]: one["total_usd"] for one in document["owners"]} == {"a": "0.000002200", "b": "0.000001100"}
    assert document["shared_because"] == {"no_team_usd": "0.000000100", "tagged_usd": "0.000000200"}
    shown = run("report", "--showback", "team")
    assert "(shared)" in shown.out
    assert "$0.000003300" in shown.out
    assert run("report", "--chargeback", "team", "--by", "model").code == 2
    assert run("report", "--chargeback", "team,user").code == 2
    assert "(not split)" in run("report", "--showback", "team", "--format", "csv").out
    assert run("report", "--chargeback", "team", "--format", "md").out.startswith("| team |")


def test_right_sizing_asks(run: Any, book: Any) -> None:
    book.attempt(model="big", task="classification", cost=9_000)
    book.attempt(model="big", cost=1_000, usage=Usage(tokens_in=9, tokens_out=9, source="reported"))
    found = run("report", "--right-sizing")
    assert found.code == 0, found.err
    assert "not a saving" in found.out
    document = run("report", "--right-sizing", "--json").json
    assert (document["cost_usd"], document["premium_usd"]) == ("0.000010000", "0.000000000")


def test_months_tops_and_sorts(run: Any, book: Any) -> None:
    for number, cost in enumerate([5, 9, 7]):
        book.attempt(user=f"u{number}", cost=cost)
    document = run("report", "--by", "user", "--top", "1", "--month", "2026-11", "--json").json
    assert [group["user"] for group in document["groups"]] == ["u1"]
    assert (document["groups_total"], document["total"]["cost_usd"]) == (3, "0.000000021")
    assert "2 more groups" in run("report", "--by", "user", "--top", "1").out
    assert run("report", "--month", "2026-10", "--json").json["total"]["attempts"] == 0
    assert [g["user"] for g in run("report", "--by", "user", "--sort", "name", "--json").json["groups"]] == [
        "u0", "u1", "u2"
    ]  # fmt: skip
    assert run("report", "--month", "2026-11", "--since", "7d").code == 2
    assert run("report", "--month", "November").code == 2


def test_departments_and_runs_of_the_same(run: Any, book: Any) -> None:
    for number, cost in enumerate([10, 10, 40]):
        book.attempt(project="web", task="review", session_id=f"s{number}", cost=cost)
    book.attempt(project="web", tags={"department": "Ops"}, cost=1)
    document = run("report", "--by", "department", "--department", "web=Sales", "--json").json
    assert {group["department"]: group["cost_usd"] for group in document["groups"]} == {
        "Sales": "0.000000060",
        "Ops": "0.000000001",
    }
    assert (document["total"]["runs"], document["total"]["run_cost_p90_over_p10"]) == (3, 4.0)
    assert run("report", "--department", "web").code == 2
    assert "runs of the same project" in run("report", "--same", "project").out
