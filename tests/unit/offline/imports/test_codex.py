import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.offline.imports.conftest import Done, Kept

from bascule.offline.imports.codex import CodexReader
from bascule.offline.imports.lines import BadLine, read_blocks
from bascule.offline.imports.observed import Observed

PARENT, CHILD, OLD = (f"22222222-bbbb-7bbb-8bbb-00000000000{n}" for n in "abc")


def used(given: int, out: int, cached: int = 0, reasoning: int = 0) -> dict[str, int]:
    return {
        "input_tokens": given, "cached_input_tokens": cached, "output_tokens": out,
        "reasoning_output_tokens": reasoning, "total_tokens": given + out,
    }  # fmt: skip


def count(second: int, total: dict[str, int] | None, last: dict[str, int] | None) -> str:
    info = {"total_token_usage": total, "last_token_usage": last}
    return line(second, "event_msg", {"type": "token_count", "info": info})


def line(second: int, kind: str, payload: dict[str, Any]) -> str:
    return json.dumps({"timestamp": f"2026-10-02T10:00:{second:02d}.000Z", "type": kind, "payload": payload})


CONTEXT = line(0, "turn_context", {"cwd": "/w/shop", "model": "gpt-5-codex"})


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., list[Any]]:
    def reading(*lines: str) -> list[Observed | BadLine]:
        path = tmp_path / "rollout-x.jsonl"
        path.write_text("\n".join(lines) + "\n")
        return list(CodexReader().read(path, read_blocks(path)))

    return reading


def test_fixture_calls(logs: Path, imported: Callable[..., Done]) -> None:
    run = imported(logs / "codex", "codex")
    rows = run.kept.by_id()
    old = f"rollout-2026-10-02T11-00-00-{OLD}"
    assert set(rows) == {"resp_1", "resp_2", "resp_3", "resp_s1", f"{old}#1", f"{old}#2"}
    first = rows["resp_1"]
    assert (first.tokens_in, first.tokens_cache_read, first.tokens_out, first.tokens_reasoning) == (
        2_000,
        3_000,
        80,
        120,
    )
    assert first.cost_nanousd == 2_000 * 1_250 + 3_000 * 125 + 200 * 10_000
    assert (first.session_id, first.agent_id, first.branch, first.project) == (PARENT, None, "feature/tax", "shop")
    assert (first.provider, first.client, first.origin) == ("openai", "codex", "codex")
    assert first.tags["plan"] == "pro"
    assert first.ts_end_ms - first.ts_start_ms == 5_980
    assert rows["resp_3"].model == "gpt-5.1-codex-max", "the model may change in a session"
    helper = rows["resp_s1"]
    assert (helper.session_id, helper.agent_id, helper.parent_id) == (PARENT, CHILD, None)
    assert helper.tags["agent_type"] == "explorer"
    assert "plan" not in rows[f"{old}#1"].tags
    again = imported(logs / "codex", "codex", run.kept).tally
    assert (again.new, again.replaced, again.same) == (0, 0, 6)


def test_a_record_and_its_count_are_one_call_and_a_repeated_count_is_none(read: Callable[..., list[Any]]) -> None:
    one, two = used(100, 10), used(200, 20)
    record = line(3, "token_usage_record", {"usage": one, "response_id": "r1", "thread_token_usage": one})
    total = used(300, 30)
    calls = read(CONTEXT, record, count(4, one, one), count(5, one, one), count(9, total, two), count(10, total, two))
    assert [(call.source_id, call.usage.tokens_in) for call in calls] == [("r1", 100), ("rollout-x#2", 200)]


def test_totals_are_never_summed(read: Callable[..., list[Any]]) -> None:
    calls = read(CONTEXT, count(1, used(100, 10), None), count(2, used(250, 30), None))
    assert [(call.usage.tokens_in, call.usage.tokens_out) for call in calls] == [(100, 10), (150, 20)]


def test_the_copied_history_of_a_fork_is_passed_over(read: Callable[..., list[Any]]) -> None:
    meta = {"id": "child", "forked_from_id": "parent", "cwd": "/w/shop", "model_provider": "openai"}
    parent = line(1, "session_meta", {"id": "parent", "cwd": "/elsewhere"})
    a, b = used(1_000, 10), used(2_000, 20)
    copied = [parent, CONTEXT.replace("10:00:00", "10:00:01"), count(1, a, a), count(2, used(3_000, 30), b)]
    own = count(30, used(3_500, 35), used(500, 5))
    calls = read(line(1, "session_meta", meta), *copied, own)
    assert [(call.usage.tokens_in, call.session_id, call.cwd) for call in calls] == [(500, "child", "/w/shop")]
    unforked = read(line(1, "session_meta", {**meta, "forked_from_id": None}), *copied, own)
    assert len(unforked) == 3


def test_a_record_says_whose_it_is(read: Callable[..., list[Any]]) -> None:
    meta = {"id": "child", "forked_from_id": "parent"}

    def record(second: int, name: str, thread: str) -> str:
        told = {"usage": used(100, 10), "response_id": name, "thread_id": thread}
        return line(second, "token_usage_record", told)

    begun = line(1, "session_meta", meta)
    calls = read(begun, record(1, "r1", "parent"), record(1, "r2", "child"), record(30, "r3", "parent"))
    assert [call.source_id for call in calls] == ["r2"]


def test_cached_tokens_beyond_the_input_are_cut_and_flagged(read: Callable[..., list[Any]]) -> None:
    (call,) = read(CONTEXT, count(1, used(100, 10, cached=150), used(100, 10, cached=150)))
    assert (call.usage.tokens_in, call.usage.tokens_cache_read) == (0, 100)
    assert call.usage.flags == ("cached_exceeds_prompt",)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (count(2, used(-5, 1), used(-5, 1)), "wrong type"),
        (count(2, used(10, 1), used(10**30, 1)), ""),
        (count(2, used(10, 1), used(1, 10**9 + 1)), "a count above 1,000,000,000"),
        (count(2, used(10**12 + 1, 1), used(10, 1)), "a count above 1,000,000,000,000"),
        (count(2, used(10, 1), used(10, 1)).replace("2026-10", "0001-01"), "a time before 2020"),
        (count(2, used(10, 1), used(10, 1)).replace("2026-10", "9999-10"), "a time in the future"),
        ('{"timestamp":"soon","type":"event_msg","payload":{"type":"token_count"}}', "a time that is none"),
        ('{"timestamp":"2026-10-02T10:00:00Z","type":"token_usage_record","payload":{}}', "wrong type"),
        ('{"timestamp":"2026-10-02T10:00', "cut off"),
    ],
)
def test_bad_lines(read: Callable[..., list[Any]], bad: str, why: str) -> None:
    calls = read(CONTEXT, bad, count(9, used(10, 1), used(10, 1)))
    assert isinstance(calls[0], BadLine)
    assert (calls[0].line, why in calls[0].why) == (2, True)
    assert isinstance(calls[1], Observed)


def test_no_model_is_no_price(tmp_path: Path, imported: Callable[..., Done]) -> None:
    (tmp_path / "rollout-y.jsonl").write_text(count(1, used(10, 1), used(10, 1)) + "\n")
    run = imported(tmp_path, "codex", Kept())
    assert run.tally.unknown_prices == {"(no model named)": 1}
    assert run.tally.known_cost_nanousd is None
