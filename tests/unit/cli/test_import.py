"""`bascule import` from the command line to the store and out again."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from bascule.cli.import_.summary import SHOWN_BAD_LINES
from bascule.offline.imports.columns import COLUMNS, IGNORED
from bascule.offline.rows import ATTEMPT_COLUMNS

FIXTURES = Path(__file__).parents[2] / "fixtures" / "agent-logs"
NOT_A_LOG = b"\xff\xfe\x00"


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh machine with agents' logs in the home folder, and nothing of ours."""
    home = tmp_path / "home"
    shutil.copytree(FIXTURES / "claude", home / ".claude")
    shutil.copytree(FIXTURES / "codex", home / ".codex")
    for place, path in enumerate(sorted(home.rglob("*.jsonl"), key=lambda path: path.name)):
        os.utime(path, (1_800_000_000 + place, 1_800_000_000 + place))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("HOME", str(home))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return home


def rows(run: Any, *options: str) -> list[dict[str, Any]]:
    found = run("ledger", "export", *options)
    assert found.code == 0, found.err
    return [json.loads(line) for line in found.out.splitlines()]


def test_the_home_folders_logs_on_a_fresh_machine(run: Any, bare: Path) -> None:
    first = run("import", "claude-code", "--json")
    assert first.code == 0, first.err
    document = first.json
    assert (document["files"], document["rows"], document["rows_new"], document["copies"]) == (4, 10, 10, 1)
    assert document["unknown_prices"] == {"house-model-7": 1}
    assert 0 < document["estimated_share"] < 1
    assert [bad["line"] for bad in document["bad"]] == [10]
    again = run("import", "claude-code", "--json").json
    assert (again["rows_new"], again["rows_replaced"], again["rows_same"]) == (0, 0, 10)
    assert run("import", "codex", "--json").json["rows_new"] == 6
    kept = rows(run)
    assert len(kept) == 16
    costs = [row["cost_nanousd"] for row in kept if row["origin"] == "claude-code"]
    assert sum(filter(None, costs)) == round(float(document["cost_usd"]) * 1e9)
    assert {row["kind"] for row in kept} == {"import"}
    assert {row["project"] for row in kept} == {"shop"}


def test_logs_alone_are_a_ledger_for_the_impact_of_prices_too(run: Any, bare: Path, tmp_path: Path) -> None:
    assert run("import", "claude-code").code == 0
    book = tmp_path / "litellm.json"
    book.write_text('{"claude-haiku-4-5": {"litellm_provider": "anthropic", "input_cost_per_token": 8e-07}}')
    found = run("prices", "diff", str(book), "--impact", "--since", "2020-01-01", "--json")
    assert found.code == 0, found.err
    impact = found.json["impact"]
    assert impact["rows"] + sum(one["rows"] for one in impact["not_rerated"]) == 10


@pytest.mark.parametrize("command", [("report",), ("sessions",), ("prices", "diff", "--impact")])
def test_where_no_ledger_is_the_ways_to_one_are_named(run: Any, bare: Path, command: tuple[str, ...]) -> None:
    found = run(*command)
    assert found.code == 1
    assert f"no ledger yet in {Path.cwd()}" in found.err
    for way in ("bascule import claude-code", "bascule import codex", "bascule serve"):
        assert way in found.err


def test_a_configuration_with_a_data_dir_alone_is_enough(run: Any, bare: Path, tmp_path: Path) -> None:
    (tmp_path / "only.yaml").write_text("data_dir: elsewhere\n")
    found = run("import", "codex", "-c", str(tmp_path / "only.yaml"))
    assert found.code == 0, found.err
    assert (tmp_path / "elsewhere").is_dir()


def test_prices_of_the_configuration_are_used(run: Any, bare: Path, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        "data_dir: elsewhere\n"
        "providers: {house: {dialect: openai_chat, base_url: http://127.0.0.1:9/v1, api_key: none}}\n"
        "models: {house-model-7: {endpoints: [{provider: house, model: m7}], price: {input: 1, output: 2}}}\n"
    )
    document = run("import", "claude-code", "-c", str(tmp_path / "own.yaml"), "--json").json
    assert document["unknown_prices"] == {}
    (own,) = [row for row in rows(run, "-c", str(tmp_path / "own.yaml")) if row["model"] == "house-model-7"]
    assert (own["provider"], own["cost_nanousd"]) == ("house", 70 * 1_000 + 9 * 2_000)


def test_the_summarys_own_remedy_prices_a_model_that_only_imports_name(run: Any, bare: Path) -> None:
    said = run("import", "claude-code").out
    (snippet,) = re.findall("`(models: .*)`", said)
    Path("bascule.yaml").write_text(snippet.replace("NAME", "house-model-7"))
    document = run("import", "claude-code", "--json").json
    assert (document["unknown_prices"], document["rows_replaced"]) == ({}, 1)
    (own,) = [row for row in rows(run) if row["model"] == "house-model-7"]
    assert own["cost_nanousd"] == 70 * 1_000 + 9 * 4_000


def test_a_dry_run_writes_nothing(run: Any, bare: Path) -> None:
    found = run("import", "claude-code", "--dry-run")
    assert found.code == 0
    assert "nothing was written" in found.out
    assert list(Path.cwd().iterdir()) == []


def test_attribution_and_period(run: Any, bare: Path) -> None:
    options = ("--user", "ann", "--team", "web", "--project", "all", "--tag", "seat=ann", "--since", "2026-10-02")
    document = run("import", "claude-code", *options, "--json").json
    assert (document["rows"], document["outside_period"]) == (5, 6)
    for row in rows(run):
        assert (row["user"], row["team"], row["project"], row["tags"]["seat"]) == ("ann", "web", "all", "ann")


def test_the_summary_for_a_person(run: Any, bare: Path) -> None:
    found = run("import", "claude-code")
    assert "10 calls in 27 lines of 4 files" in found.out
    assert "of the bill) rests on estimated output, in 2 calls." in found.out
    assert "No price is known for house-model-7 (1)" in found.out
    assert "Errors of the API, which nobody bills: 1." in found.out
    assert found.err.endswith(".jsonl:10: cut off in the middle; it may still be being written\n")


def test_bad_lines_are_shown_up_to_a_limit_and_counted_beyond(run: Any, bare: Path) -> None:
    path = bare / ".claude/projects/-home-ann-shop/bad.jsonl"
    path.write_bytes(b"nonsense\n" * 50 + NOT_A_LOG)
    found = run("import", "claude-code")
    assert found.code == 0
    assert found.err.count("bad.jsonl:") + found.err.count("002.jsonl:") == SHOWN_BAD_LINES
    assert "52 bad lines in all" in found.err
    assert len(run("import", "claude-code", "--json").json["bad"]) == 52


def test_every_column_of_an_export_is_read_or_left_out_on_purpose() -> None:
    assert set(ATTEMPT_COLUMNS) <= set(COLUMNS) | IGNORED


@pytest.mark.parametrize("content", [NOT_A_LOG, b"nonsense\n", b'{"type":"assistant"}\n'])
def test_where_nothing_can_be_read_the_status_is_1(run: Any, bare: Path, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_bytes(content)
    assert run("import", "claude-code", str(path)).code == 1


@pytest.mark.parametrize("source", ["claude-code", "codex", "jsonl"])
def test_a_path_that_is_not_there_is_wrong_use(run: Any, bare: Path, source: str) -> None:
    found = run("import", source, "/no/such/folder")
    assert found.code == 2
    assert "there is no such file or folder" in found.err
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize(("source", "client", "other"), [("claude-code", "Claude Code", "codex"),
                                                          ("codex", "Codex", "claude-code")])  # fmt: skip
def test_another_clients_logs_are_nothing_to_import(run: Any, bare: Path, source: str, client: str, other: str) -> None:
    folder = bare / (".codex" if source == "claude-code" else ".claude")
    found = run("import", source, str(folder))
    assert found.code == 2, found.err
    assert f"no line in {folder} is one of {client}" in " ".join(found.err.split())
    assert f"bascule import {other}" in found.err


def test_a_session_without_an_answer_is_no_failure(run: Any, bare: Path, tmp_path: Path) -> None:
    path = tmp_path / "asked.jsonl"
    path.write_text('{"type":"user","sessionId":"s","uuid":"u","timestamp":"2026-10-01T08:00:00Z"}\n')
    found = run("import", "claude-code", str(path))
    assert (found.code, found.err) == (0, "")
    assert "0 calls in 1 lines" in found.out


def test_estimates_of_unknown_cost_are_no_part_of_the_bill(run: Any, bare: Path, tmp_path: Path) -> None:
    message = {"model": "house-model-7", "id": "m", "usage": {"input_tokens": 90, "output_tokens": 1},
               "content": [{"type": "text", "text": "x" * 4_000}]}  # fmt: skip
    line = {"type": "assistant", "message": message, "sessionId": "s", "timestamp": "2026-10-01T08:00:00Z"}
    path = tmp_path / "house.jsonl"
    path.write_text(json.dumps(line) + "\n")
    document = run("import", "claude-code", str(path), "--json").json
    assert document["estimated_rows"] == 1
    assert [document[name] for name in ("cost_usd", "estimated_usd", "estimated_share", "estimate_adds_usd")] == [
        None
    ] * 4
    found = run("import", "claude-code", str(path))
    assert "of the bill" not in found.out
    assert "$0" not in found.out
    assert "Output was estimated in 1 call, none of a known cost." in found.out


def test_an_empty_log_is_no_failure(run: Any, bare: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    assert run("import", "codex", str(tmp_path / "empty.jsonl")).code == 0


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_our_own_export_comes_back_as_equal_rows(run: Any, bare: Path, tmp_path: Path, form: str) -> None:
    assert run("import", "claude-code").code == 0
    out = tmp_path / f"rows.{form}"
    assert run("ledger", "export", "--format", form, "--out", str(out)).code == 0
    before = rows(run)
    (tmp_path / "second.yaml").write_text("data_dir: second\n")
    second = ("-c", str(tmp_path / "second.yaml"))
    document = run("import", "jsonl", str(out), *second, "--json").json
    assert (document["rows_new"], document["bad_lines"], document["unknown_columns"]) == (10, 0, {})
    assert rows(run, *second) == before
    again = run("import", "claude-code", *second, "--json").json
    assert (again["rows_new"], again["rows_same"]) == (0, 10), "it is known where they are from, and how well"


def test_the_gateways_rows_come_back_too(run: Any, book: Any, tmp_path: Path) -> None:
    for start in (1_795_262_400_000, 1_795_262_500_000):
        book.attempt(start=start, session_id="s1", branch="main", tags={"pr": "7"})
    book.drain()
    out = tmp_path / "rows.jsonl"
    run("ledger", "export", "--out", str(out))
    before = rows(run)
    (tmp_path / "second.yaml").write_text("data_dir: second\n")
    second = ("-c", str(tmp_path / "second.yaml"))
    assert run("import", "jsonl", str(out), *second, "--json").json["unknown_columns"] == {}
    ours = {"kind", "origin", "attempt_id", "chain", "charged_nanousd"}
    for row, was in zip(rows(run, *second), before, strict=True):
        assert row["attempt_id"] == f"jsonl:{was['attempt_id']}"
        assert {k: v for k, v in row.items() if k not in ours} == {k: v for k, v in was.items() if k not in ours}


def test_calls_through_the_gateway_are_not_counted_twice(run: Any, book: Any) -> None:
    session = "11111111-aaaa-4aaa-8aaa-000000000003"
    book.attempt(start=1_790_924_400_500, end=3_000, session_id=session)  # 2026-10-02T07:00:00.5Z
    book.drain()
    document = run("import", "claude-code", str(FIXTURES / "claude"), "--json").json
    assert document["through_gateway"] == 1
    assert document["rows"] == 9
    assert "jsonl" not in {row["origin"] for row in rows(run)}


def test_the_ledgers_own_export_is_no_news_to_it(run: Any, book: Any, tmp_path: Path) -> None:
    book.attempt()
    book.drain()
    out = tmp_path / "rows.jsonl"
    run("ledger", "export", "--out", str(out))
    document = run("import", "jsonl", str(out), "--json").json
    assert (document["through_gateway"], document["rows"]) == (1, 0)
    assert len(rows(run)) == 1


def test_map_options(run: Any, bare: Path, tmp_path: Path) -> None:
    path = tmp_path / "spend.csv"
    path.write_text("startTime,spend,who\n2026-10-01,0.25,ann\n")
    (tmp_path / "map.yaml").write_text("ts_start: startTime\ncost_usd: spend\n")
    options = ("--map-file", str(tmp_path / "map.yaml"), "--map", "user=who")
    assert run("import", "jsonl", str(path), *options).code == 0
    (row,) = rows(run)
    assert (row["user"], row["cost_usd"], row["ts_start"]) == ("ann", "0.250000000", "2026-10-01T00:00:00.000Z")
    assert run("import", "jsonl", str(path), "--map", "token_in=who").code == 2
    assert "did you mean tokens_in" in run("import", "jsonl", str(path), "--map", "token_in=who").err
    assert run("import", "jsonl", str(path)).code == 1, "no row has a time"


def test_no_prompt_and_no_answer_reaches_the_disk(run: Any, bare: Path) -> None:
    run("import", "claude-code")
    run("import", "codex")
    stored = b"".join([path.read_bytes() for path in (Path.cwd() / ".bascule").rglob("*") if path.is_file()])
    for words in (b"the basket rounds each line", b"The basket rounds", b"pytest -q", b"All tests pass", b"old_string"):
        assert words not in stored
    assert b"Mend the rounding of the basket" in stored
    shutil.rmtree(".bascule")
    run("import", "claude-code", "--no-titles")
    assert b"Mend the rounding" not in (Path.cwd() / ".bascule/ledger.sqlite3").read_bytes()


def test_help_lists_the_sources(run: Any) -> None:
    found = run("import", "--help")
    assert all(source in found.out for source in ("claude-code", "codex", "jsonl"))
