"""Laws of Claude Code's logs, on lines of their shape and on the fixtures."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.offline.imports.conftest import Done, Kept

from bascule.offline.imports.claude_code import ClaudeReader
from bascule.offline.imports.lines import BadLine, read_blocks
from bascule.offline.imports.observed import Observed
from bascule.offline.imports.run import Wanted
from bascule.offline.imports.times import timestamp_ms

S1, S2, S3 = (f"11111111-aaaa-4aaa-8aaa-00000000000{n}" for n in (1, 2, 3))
USAGE = {"input_tokens": 4, "cache_read_input_tokens": 15_000, "cache_creation_input_tokens": 900, "output_tokens": 420}


def bot(number: int = 1, *, mid: str = "m1", usage: dict[str, Any] | None = None, stop: str | None = "end_turn",
        text: str = "Done.", **line: Any) -> str:  # fmt: skip
    message = {
        "model": "claude-sonnet-4-5-20250929", "id": mid, "role": "assistant", "stop_reason": stop,
        "content": [{"type": "text", "text": text}], "usage": USAGE if usage is None else usage,
    }  # fmt: skip
    told = {
        "type": "assistant", "message": message, "requestId": f"r-{mid}", "uuid": f"u{number}", "sessionId": "s",
        "timestamp": f"2026-10-01T08:00:{number:02d}.000Z", "cwd": "/home/ann/shop", "version": "2.1.197",
    }  # fmt: skip
    return json.dumps(told | line)


def only(items: list[Observed | BadLine]) -> Observed:
    (item,) = items
    assert isinstance(item, Observed)
    return item


def test_lines_of_one_message_are_one_call(lines_of: Callable[..., list[Any]]) -> None:
    seen = only(lines_of(bot(1), bot(2), bot(3)))
    assert seen.usage.tokens_out == 420
    assert seen.source_id == "m1:r-m1"
    assert seen.ts_end_ms - seen.ts_start_ms == 2_000


def test_the_line_with_a_stop_reason_has_the_usage_wherever_it_stands(lines_of: Callable[..., list[Any]]) -> None:
    early = {**USAGE, "output_tokens": 3}
    for lines in ([bot(1, usage=early, stop=None), bot(2)], [bot(1), bot(2, usage=early, stop=None)]):
        seen = only(lines_of(*lines))
        assert (seen.usage.tokens_out, seen.usage.source, seen.finish_reason) == (420, "reported", "end_turn")


def test_without_a_stop_reason_the_largest_count_is_the_latest(lines_of: Callable[..., list[Any]]) -> None:
    growing = [bot(n, usage={**USAGE, "output_tokens": out}, stop=None) for n, out in ((1, 8), (2, 310), (3, 8))]
    assert only(lines_of(*growing)).usage.tokens_out == 310


def test_a_line_that_stands_twice_is_measured_once(lines_of: Callable[..., list[Any]]) -> None:
    line = bot(1, usage={**USAGE, "output_tokens": 1}, stop=None, text="x" * 3_500)
    assert only(lines_of(line, line)).usage.tokens_out == 1_004
    other = bot(2, usage={**USAGE, "output_tokens": 1}, stop=None, text="x" * 3_500)
    assert only(lines_of(line, other)).usage.tokens_out == 2_004


def test_bytes_are_counted_not_characters(lines_of: Callable[..., list[Any]]) -> None:
    seen = only(lines_of(bot(usage={**USAGE, "output_tokens": 1}, stop=None, text="漢" * 700)))
    assert seen.usage.tokens_out == 604


def test_a_call_begins_with_the_line_before_it(lines_of: Callable[..., list[Any]]) -> None:
    asked = '{"type":"user","message":{"role":"user","content":"a"},"timestamp":"2026-10-01T07:59:50.000Z"}'
    seen = only(lines_of(asked, bot(2)))
    assert seen.ts_end_ms - seen.ts_start_ms == 12_000
    alone = only(lines_of(bot(2)))
    assert alone.ts_end_ms == alone.ts_start_ms


def test_cache_writes_tiers_tools_and_places(lines_of: Callable[..., list[Any]]) -> None:
    usage = USAGE | {
        "cache_creation": {"ephemeral_5m_input_tokens": 700, "ephemeral_1h_input_tokens": 200},
        "service_tier": "priority",
        "server_tool_use": {"web_search_requests": 3},
        "inference_geo": "us",
    }
    seen = only(lines_of(bot(usage=usage)))
    assert (seen.usage.tokens_cache_write_5m, seen.usage.tokens_cache_write_1h) == (700, 200)
    assert (seen.usage.service_tier, seen.usage.web_searches, seen.usage.inference_geo) == ("priority", 3, "us")
    assert seen.tags["inference_geo"] == "us"
    assert only(lines_of(bot(usage=USAGE | {"inference_geo": ""}))).usage.inference_geo is None


def test_compaction_is_counted_in(lines_of: Callable[..., list[Any]]) -> None:
    parts = [{"type": "compaction", "input_tokens": 1_000, "output_tokens": 50}, {"type": "message", **USAGE}]
    seen = only(lines_of(bot(usage={**USAGE, "iterations": parts})))
    assert (seen.usage.tokens_in, seen.usage.tokens_out) == (1_004, 470)
    assert seen.usage.flags == ("compaction",)


def test_what_claude_code_wrote_itself_is_not_billed(lines_of: Callable[..., list[Any]]) -> None:
    synthetic = bot().replace("claude-sonnet-4-5-20250929", "<synthetic>")
    assert lines_of(synthetic) == []
    assert lines_of(bot(isApiErrorMessage=True)) == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"type":"assistant","message":{"model":"c', "cut off"),
        (
            b'{"type":"assistant","message":{"model":7},"timestamp":"2026-10-01T08:00:00Z"}',
            "wrong type: Expected `str`",
        ),
        (b'{"type":"assistant","message":"hello","timestamp":"2026-10-01T08:00:00Z"}', "wrong type"),
        (b'{"type":"assistant"}', "wrong type: Object missing required field `timestamp`"),
        (bot(timestamp="soon").encode(), "Invalid RFC3339"),
        (bot(timestamp="0001-01-01T00:00:00+10:00").encode(), "a time before 2020"),
        (bot(timestamp="2019-12-31T23:59:59.999Z").encode(), "a time before 2020"),
        (bot(timestamp="9999-12-31T23:59:59-10:00").encode(), "a time in the future"),
        (bot(usage={**USAGE, "output_tokens": 10**30}).encode(), "a count above 1,000,000,000"),
        (bot(usage={**USAGE, "input_tokens": 10**9 + 1}).encode(), "a count above 1,000,000,000"),
        (bot(cwd="X").encode().replace(b'"X"', b'"\xff\xfe"'), "not UTF-8"),
        (b'{"type":"assistant",}', "broken JSON"),
        (b"assistant", "not an object of JSON"),
        (bot(usage=[1]).encode(), None),
    ],
)
def test_bad_lines_are_named_and_the_rest_is_read(
    lines_of: Callable[..., list[Any]], line: bytes, why: str | None
) -> None:
    found = lines_of(bot(1, mid="before"), line, bot(3, mid="after"))
    calls = [item for item in found if isinstance(item, Observed)]
    assert [call.source_id for call in calls if "m1" not in call.source_id] == ["before:r-before", "after:r-after"]
    bad = [item for item in found if isinstance(item, BadLine)]
    if why is None:
        assert not bad
    else:
        assert [(one.file.rpartition("/")[2], one.line) for one in bad] == [("s.jsonl", 2)]
        assert why in bad[0].why


@pytest.mark.parametrize(
    "line",
    [
        {"type": "user", "message": {"role": "user", "content": []}, "toolUseResult": {"role": "assistant"}},
        {"type": "progress", "data": {"message": {"type": "assistant", "message": {"usage": USAGE}}}},
        {"type": "system", "message": "text", "subtype": "assistant", "timestamp": 7},
        {"type": "attachment", "summary": {"a": 1}},
    ],
)
def test_lines_that_speak_of_assistants_are_neither_calls_nor_bad(
    lines_of: Callable[..., list[Any]], line: dict[str, Any]
) -> None:
    assert lines_of(json.dumps(line)) == []


def test_no_word_of_a_conversation_is_in_what_a_bad_line_says(lines_of: Callable[..., list[Any]]) -> None:
    for line in (bot(timestamp="my secret"), bot(cwd={"my secret": 1}), bot(usage=USAGE)[:-3] + '"my secret"'):
        for bad in lines_of(line):
            assert "secret" not in str(bad)


def test_fixture_calls_and_who_they_are_of(logs: Path, imported: Callable[..., Done]) -> None:
    run = imported(logs / "claude", "claude", user="ann")
    rows = run.kept.by_id()
    assert set(rows) == {
        "msg_01early1:req_early1", "msg_01early2:req_early2", "msg_01new1:req_new1", "msg_01new2:req_new2",
        "msg_01sub1:req_sub1", "msg_01res1:req_res1", "chat-77:req_res2", "msg_bdrk_01res3:req_res3",
        "msg_01res4:req_res4", "msg_01res5:req_res5",
    }  # fmt: skip
    first = rows["msg_01new1:req_new1"]
    assert (first.session_id, first.branch, first.project, first.user) == (S2, "feature/basket", "shop", "ann")
    assert (first.kind, first.origin, first.client, first.chain) == ("import", "claude-code", "claude-code", "")
    assert first.pr == "ann/shop#41"
    assert first.tags == {
        "cwd": "/home/ann/shop", "entrypoint": "cli", "title": "Mend the rounding of the basket", "version": "2.1.197",
    }  # fmt: skip
    helper = rows["msg_01sub1:req_sub1"]
    assert (helper.session_id, helper.agent_id, helper.pr) == (S2, "a0ffee", "ann/shop#41")
    assert helper.tags["agent_type"] == "Explore"
    assert rows["msg_01res1:req_res1"].branch is None, "HEAD is no branch"


def test_fixture_costs_by_hand(logs: Path, imported: Callable[..., Done]) -> None:
    run = imported(logs / "claude", "claude")
    costs = {name: row.cost_nanousd for name, row in run.kept.by_id().items()}
    # Sonnet 4.5: 3 in, 15 out, 0.30 read, 3.75 written for five minutes, 6 for an hour; a search is one cent.
    assert costs["msg_01new1:req_new1"] == 4 * 3_000 + 420 * 15_000 + 15_000 * 300 + 900 * 3_750
    assert costs["msg_01new2:req_new2"] == 6 * 3_000 + 88 * 15_000 + 16_000 * 300 + 2_000 * 6_000 + 20_000_000
    assert costs["msg_01sub1:req_sub1"] == 900 * 1_000 + 60 * 5_000
    assert costs["msg_bdrk_01res3:req_res3"] == 50 * 3_300 + 9 * 16_500
    assert costs["chat-77:req_res2"] == 1_200 * 270 + 9 * 1_100
    assert costs["msg_01res4:req_res4"] is None
    assert costs["msg_01res5:req_res5"] is None
    early = run.kept.by_id()["msg_01early1:req_early1"]
    assert early.usage_source == "estimated"
    assert costs["msg_01early1:req_early1"] == 3 * 3_000 + early.tokens_out * 15_000 + 17_997 * 300 + 4_678 * 3_750


def test_fixture_summary(logs: Path, imported: Callable[..., Done]) -> None:
    tally = imported(logs / "claude", "claude").tally
    assert (tally.files, tally.rows, tally.copies, tally.api_errors, tally.new) == (4, 10, 1, 1, 10)
    assert [(bad.file.rpartition("/")[2], bad.line) for bad in tally.bad] == [(f"{S2}.jsonl", 10)]
    assert tally.unknown_prices == {"house-model-7": 1}
    assert tally.unknown_counts == {"claude-sonnet-4-5-20250929": 1}
    assert tally.estimated_rows == 2
    assert tally.estimated_versions == {"2.1.29": 1, "2.1.197": 1}
    assert 0 < tally.guessed_nanousd < tally.estimated_nanousd < tally.cost_nanousd


def test_import_again_changes_nothing_and_what_is_added_is_all_that_is_new(
    logs: Path, imported: Callable[..., Done]
) -> None:
    kept = Kept()
    imported(logs / "claude", "claude", kept)
    before = dict(kept.rows)
    again = imported(logs / "claude", "claude", kept).tally
    assert (again.new, again.replaced, again.same) == (0, 0, 10)
    assert kept.rows == before
    path = next((logs / "claude").rglob(f"{S3}.jsonl"))
    with path.open("a") as file:
        file.write(bot(59, mid="later", sessionId=S3) + "\n")
    os.utime(path, (1_900_000_000, 1_900_000_000))
    more = imported(logs / "claude", "claude", kept).tally
    assert (more.new, more.replaced, more.same) == (1, 0, 10)


def test_a_better_reading_in_another_file_takes_the_place_of_a_worse(
    tmp_path: Path, imported: Callable[..., Done]
) -> None:
    begun = bot(1, usage={**USAGE, "output_tokens": 1}, stop=None, text="x" * 700)
    (tmp_path / "a.jsonl").write_text(begun + "\n")
    (tmp_path / "b.jsonl").write_text(begun + "\n" + bot(2, text="") + "\n")
    run = imported(tmp_path, "claude")
    (row,) = run.kept.by_id().values()
    assert (row.tokens_out, row.usage_source) == (420, "reported")
    assert (run.tally.rows, run.tally.estimated_rows, run.tally.cost_nanousd) == (1, 0, row.cost_nanousd)
    assert run.tally.tokens == 4 + 15_000 + 900 + 420


def test_the_period_leaves_out_calls_and_files(logs: Path, imported: Callable[..., Done]) -> None:
    october_2 = 1_790_899_200_000
    run = imported(logs / "claude", "claude", wanted=Wanted(since_ms=october_2))
    assert {row.session_id for row in run.kept.by_id().values()} == {S3}
    assert run.tally.outside == 6
    late = imported(logs / "claude", "claude", wanted=Wanted(since_ms=1_900_000_000_000)).tally
    assert (late.files, late.files_older, late.lines) == (0, 4, 0)


def test_titles_by_rank_and_by_leaf(lines_of: Callable[..., list[Any]]) -> None:
    summary = '{"type":"summary","summary":"Of a leaf","leafUuid":"u1"}'
    stray = '{"type":"summary","summary":"Of another session","leafUuid":"elsewhere"}'
    assert only(lines_of(stray, summary, bot(1))).tags["title"] == "Of a leaf"
    assert "title" not in only(lines_of(stray, bot(1))).tags
    named = '{"type":"custom-title","customTitle":"By\\nhand","sessionId":"s"}'
    made = '{"type":"ai-title","aiTitle":"By a model","sessionId":"s"}'
    assert only(lines_of(summary, bot(1), named, made)).tags["title"] == "By hand"
    assert "title" not in only(lines_of(bot(1), named, titles=False)).tags


def test_pull_requests_by_branch_and_by_time(lines_of: Callable[..., list[Any]]) -> None:
    def link(number: int, second: int) -> str:
        told = {"type": "pr-link", "prNumber": number, "prRepository": "a/b", "sessionId": "s"}
        return json.dumps(told | {"timestamp": f"2026-10-01T08:00:{second:02d}.000Z"})

    items = lines_of(
        bot(1, mid="on-main", gitBranch="main"),
        bot(2, mid="on-x", gitBranch="x"), link(7, 3),
        bot(4, mid="on-main-again", gitBranch="main"),
        bot(5, mid="on-y", gitBranch="y"), link(8, 6),
        bot(7, mid="back-on-x", gitBranch="x"), link(7, 8),
        bot(9, mid="last", gitBranch="z"),
    )  # fmt: skip
    found = {item.source_id.partition(":")[0]: item.pr for item in items}
    assert found == {
        "on-main": "a/b#7", "on-x": "a/b#7", "on-main-again": "a/b#8", "on-y": "a/b#8", "back-on-x": "a/b#7",
        "last": "a/b#8",
    }  # fmt: skip
    assert only(lines_of(bot(1))).pr is None


def test_an_old_sidechain_is_an_agent(lines_of: Callable[..., list[Any]]) -> None:
    assert only(lines_of(bot(1, isSidechain=True))).agent_id == "sidechain"
    assert only(lines_of(bot(1, isSidechain=True, agentId="a1"))).agent_id == "a1"


def test_the_reader_is_told_from_when_a_call_is_in_the_future(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text(bot(1, mid="a") + "\n" + bot(2, mid="b") + "\n")
    at_ms = timestamp_ms("2026-10-01T08:00:01Z")
    kept, late = ClaudeReader(latest_ms=at_ms).read(path, read_blocks(path))
    assert isinstance(kept, BadLine) != isinstance(late, BadLine)
    (bad,) = [item for item in (kept, late) if isinstance(item, BadLine)]
    assert (bad.line, bad.why) == (2, "a time in the future")
