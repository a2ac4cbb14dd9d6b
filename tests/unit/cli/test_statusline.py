"""Claude Code's status line: right, quick, and quiet whatever it is given."""

import io
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.claude_session import COST_NANOUSD, write_session

from bascule.cli import statusline
from bascule.cli.transcript import Transcripts
from bascule.model.entry import HeldScope
from bascule.offline.status_line import Call, Left, Tally, status_line

HAIKU_NANOUSD = COST_NANOUSD // 3
NOW = int(time.time())
TODAY = NOW - NOW % 86_400


@pytest.fixture
def line(run: Any, place: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The line for what Claude Code says."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "cache"))

    def call(told: Any, *arguments: str) -> str:
        text = told if isinstance(told, bytes) else json.dumps(told).encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
        found = run("statusline", *arguments)
        assert found.code == 0
        assert found.err == ""
        assert found.out.count("\n") == 1
        return str(found.out.rstrip("\n"))

    return call


def told(path: Path | None = None, session: str = "s1") -> dict[str, Any]:
    return {
        "hook_event_name": "Status", "session_id": session, "transcript_path": str(path) if path else None,
        "model": {"id": "claude-sonnet-4-5", "display_name": "Sonnet 4.5"}, "cost": {"total_cost_usd": 99.0},
        "workspace": {"current_dir": "/home/user/web", "project_dir": "/home/user/web"}, "version": "2.1.197",
    }  # fmt: skip


def test_a_session_by_its_transcript_each_call_once_sub_agents_included(line: Any, place: Path) -> None:
    path = write_session(place / "home", "s1", branch="x", start_s=TODAY + 1, messages=20)
    cost = (20 * COST_NANOUSD + HAIKU_NANOUSD) / 1e9
    assert line(told(path)) == f"Sonnet 4.5 · ${cost:.2f} session · ${cost:.2f} today · 94 % cached"
    old = write_session(place / "home", "s0", branch="x", start_s=TODAY - 86_400, messages=20, subagent=False)
    assert line(told(old, "s0")) == f"Sonnet 4.5 · ${20 * COST_NANOUSD / 1e9:.2f} session · 94 % cached"


def test_what_a_log_gains_is_added_and_a_new_log_begins_anew(line: Any, place: Path) -> None:
    path = write_session(place / "home", "s1", branch="x", start_s=TODAY + 1, messages=20, subagent=False)
    whole = path.read_bytes()
    half = whole[: len(whole) // 2]  # in the middle of a line
    path.write_bytes(half)
    first = line(told(path))
    path.write_bytes(whole)
    assert line(told(path)) != first
    assert f"${20 * COST_NANOUSD / 1e9:.2f} session" in line(told(path))
    path.write_bytes(half)
    assert line(told(path)) == first


def test_a_long_log_is_read_in_several_looks(place: Path) -> None:
    path = write_session(place / "home", "s1", branch="x", start_s=TODAY, messages=600, subagent=False)
    looks, found = 0, 0
    while found < 600:
        before = found
        found = len(Transcripts(partial(next, iter([False] * 3), True), place / "cache").calls(path))
        assert found > before
        looks += 1
    assert looks > 1
    calls = Transcripts(lambda: True, place / "cache").calls(path)  # no time at all: what is remembered
    assert sum(call.cost_nanousd or 0 for call in calls) == 600 * COST_NANOUSD


def test_a_first_look_without_any_time_left_shows_a_cost_and_each_further_one_more(place: Path) -> None:
    path = write_session(place / "home", "s1", branch="x", start_s=TODAY, messages=600, subagent=False)
    found = []
    while not found or found[-1] < 600:
        transcripts = Transcripts(lambda: True, place / "cache")
        found.append(len(transcripts.calls(path)))
        assert transcripts.whole is (found[-1] == 600)
    assert found == sorted(set(found))
    assert len(found) > 1
    assert found[0] > 0


def test_a_line_that_was_late_and_read_all_is_exact(line: Any, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statusline, "READING_S", -1.0)
    path = write_session(place / "home", "s1", branch="x", start_s=TODAY - 86_400, messages=20, subagent=False)
    assert line(told(path)) == f"Sonnet 4.5 · ${20 * COST_NANOUSD / 1e9:.2f} session · 94 % cached"
    long = write_session(place / "home", "s2", branch="x", start_s=TODAY - 86_400, messages=600, subagent=False)
    assert line(told(long, "s2")).startswith("Sonnet 4.5 · ≥$")


def test_a_session_through_the_gateway_is_what_the_ledger_says(line: Any, book: Any, place: Path) -> None:
    path = write_session(place / "home", "s1", branch="x", start_s=TODAY, messages=5)
    day = datetime.fromtimestamp(TODAY, UTC).date().isoformat()
    held = (HeldScope("key:ci", day),)
    book.attempt(session_id="s1", start=TODAY * 1000 + 5, cost=2_500_000_000, held=held, window_id=day)
    book.attempt(session_id="s2", start=TODAY * 1000 + 6, cost=1_000_000_000, held=held, window_id=day)
    book.attempt(session_id="s2", start=TODAY * 1000 - 6, cost=7_000_000_000, held=(), key="other")
    book.drain()
    expected = "Sonnet 4.5 · $2.50 session · $3.50 today · $46.50 of $50.00 left (day) · 0 % cached"
    assert line(told(path), "--debug") == expected


@pytest.mark.parametrize(
    "given",
    [b"", b"{", b"[]", b"\xff\xfe", b"null", {}, {"session_id": 5, "model": "x", "transcript_path": 7},
     {"transcript_path": "/nowhere/x.jsonl", "model": {}}, {"transcript_path": "/etc/passwd"}],
)  # fmt: skip
def test_nothing_disturbs_it(line: Any, given: Any) -> None:
    assert line(given) == "bascule: nothing known of this session yet"


def test_a_broken_ledger_or_configuration_is_told_in_the_line_alone(line: Any, place: Path) -> None:
    (place / "data").mkdir()
    (place / "data" / "ledger.sqlite3").write_bytes(b"not a database" * 100)
    assert line(told()) == "bascule: no figures (see `bascule statusline --debug`)"
    assert "no figures" in line(told(), "-c", "missing.yaml")


def test_it_loads_nothing_that_is_slow_to_load(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real program: a status line is asked for with every key that is pressed."""
    path = write_session(place / "home", "s1", branch="x", start_s=TODAY, messages=30)
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "cache"))
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "bascule", "statusline"],
        input=json.dumps(told(path)), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "session" in done.stdout
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "bascule.offline.status_line" in loaded
    slow = {"asyncio", "duckdb", "rich", "starlette", "uvicorn", "bascule.compose", "bascule.gateway"}
    assert loaded & slow == set()


def test_the_words() -> None:
    some = Call(0, 1_230_000_000, False, 90, 100)
    assert status_line(None, Tally().plus([some]), None, None) == "$1.23 session · 90 % cached"
    unpriced = Call(0, None, False, 0, 0)
    assert status_line("m", Tally().plus([some, unpriced]), None, None) == "m · ≥$1.23 session · 90 % cached"
    assert status_line("m", Tally().plus([unpriced]), None, None) == "m · $? session"
    guess = Call(0, 4_000_000, True, 0, 0)
    assert status_line("m", Tally().plus([guess]), Tally(), None) == "m · ~$0.0040 session"
    assert status_line("a\x1b[31mb", None, None, Left(-1_000_000_000, 10**10, "day")) == (
        "a[31mb · -$1.00 of $10.00 left (day)"
    )


def test_the_settings_for_claude_code(run: Any, place: Path) -> None:
    found = run("env", "claude", "--statusline").json["statusLine"]
    assert found["type"] == "command"
    assert found["command"].endswith(f"statusline -c {place / 'bascule.yaml'}")
    assert run("env", "codex", "--statusline").code == 2
