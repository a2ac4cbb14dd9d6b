"""An operator's program says what it thinks of an answer, under limits."""

import asyncio
import sys
import time
from pathlib import Path

import pytest

from bascule.model.strategy import CommandPolicy
from bascule.ports import commands as ports
from bascule.upstream.commands import LocalCommands

pytestmark = pytest.mark.real


def asked(program: str, given: bytes = b"{}", **limits: float) -> ports.Said:
    policy = CommandPolicy(run=(sys.executable, "-c", program), **limits)  # type: ignore[arg-type]
    commands: ports.Commands = LocalCommands()
    return asyncio.run(commands.ask(policy, given))


def test_it_accepts_by_ending_with_0_and_sees_the_answer() -> None:
    program = "import json, sys; print('seen'); sys.exit(json.load(sys.stdin)['answer'] != 'yes')"
    assert asked(program, b'{"answer": "yes"}') == ports.Said(True, "seen")
    assert asked(program, b'{"answer": "no"}') == ports.Said(False, "seen")


def test_it_has_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    program = "import os; print(sorted(os.environ), os.listdir('.'))"
    assert asked(program).detail.replace("'LC_CTYPE', ", "") == "['LANG', 'PATH'] []"


def test_what_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    program = (
        "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)']);"
        f" open({str(told)!r}, 'w').write(str(child.pid)); time.sleep(600)"
    )
    said = asked(program, timeout_s=2.0)
    assert said.accepted is None
    assert "longer than 2 s" in said.detail
    assert not _lives(int(told.read_text()))


def _lives(pid: int) -> bool:
    """Whether it still runs, after a moment for its end; one that nobody has collected is over too."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return False
        if state in "ZX":
            return False
        time.sleep(0.01)
    return True


def test_what_eats_memory_is_refused_it() -> None:
    said = asked("x = bytearray(1 << 30)", max_memory_bytes=256 * 1024 * 1024)
    assert said == ports.Said(False, "MemoryError")


def test_what_cannot_be_started_says_nothing() -> None:
    said = asyncio.run(LocalCommands().ask(CommandPolicy(run=("/nowhere/at-all",)), b"{}"))
    assert said.accepted is None
    assert "No such file" in said.detail


def test_no_more_run_at_once_than_is_allowed(tmp_path: Path) -> None:
    """Each says when it begins and ends; two that overlap would be seen."""
    log = tmp_path / "log"
    program = (
        f"import time; f = open({str(log)!r}, 'a'); print('b', file=f, flush=True); time.sleep(0.1); print('e', file=f)"
    )
    policy = CommandPolicy(run=(sys.executable, "-c", program), max_at_once=1)

    async def three() -> None:
        commands = LocalCommands()
        await asyncio.gather(*[commands.ask(policy, b"{}") for _ in range(3)])

    asyncio.run(three())
    assert log.read_text().split() == ["b", "e"] * 3
