"""`bascule demo` as a process: what it says is what its own ledger says."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.real

TIME_S = 120.0
"""It takes under ten seconds on an idle machine."""
LIMIT_NANOUSD = 20_000_000
"""Of the demo's trial key: two cents a day."""
Row = dict[str, Any]


def environment(home: Path) -> dict[str, str]:
    """An empty home, no key of anybody, and a proxy that must not be asked."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ}
    return kept | {"HOME": str(home), "TMPDIR": str(home), "HTTP_PROXY": "http://127.0.0.1:9"}


def bascule(home: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bascule", *arguments],
        capture_output=True,
        text=True,
        cwd=home,
        env=environment(home),
        timeout=TIME_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def usd(nanousd: int, places: int = 4) -> str:
    return f"${(Decimal(nanousd) / 10**9).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)}"


def settled(rows: list[Row]) -> int:
    return sum(row["cost_nanousd"] or 0 for row in rows)


def failed(row: Row) -> bool:
    return row["error_class"] is not None


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Row], Path]:
    """What `demo --once` printed, and its ledger."""
    home = tmp_path_factory.mktemp("home")
    folder = home / "demo"
    text = bascule(home, "demo", "--once", "--dir", str(folder))
    exported = bascule(home, "ledger", "export", "-c", str(folder / "bascule.yaml"))
    return text, [json.loads(line) for line in exported.splitlines()], folder


def test_the_bill_is_the_ledger_s(told: tuple[str, list[Row], Path]) -> None:
    text, rows, _ = told
    saved = sum(row["saved_nanousd"] or 0 for row in rows)
    known = settled([row for row in rows if row["saved_nanousd"] is not None])
    assert f"{usd(known)} instead of {usd(known + saved)} on claude-opus-5-5 alone" in text
    totals = [line.split() for line in text.splitlines() if line.startswith("total")]
    assert len(totals) == 2
    assert totals[0] == totals[1]
    assert usd(settled(rows)) in totals[0]
    for model in {row["model"] for row in rows} - {"lab-model"}:
        (line,) = re.findall(rf"^{re.escape(model)} .*\$.*$", text, re.MULTILINE)
        assert usd(settled([row for row in rows if row["model"] == model])) in line.split()
    assert "scripted" in text
    assert "says nothing about your traffic" in text.replace("\n", " ")


def test_the_budget_held_and_refused(told: tuple[str, list[Row], Path]) -> None:
    text, rows, _ = told
    spent = settled([row for row in rows if row["key"] == "trial"])
    assert 0 < spent <= LIMIT_NANOUSD
    assert f"Settled {usd(spent, 6)}, held $0.000000" in text.replace("\n", " ")
    assert re.search(r"may cost up to \$0\.0\d+ and \$0\.0\d+ is left", " ".join(text.split()))


def test_failovers_have_both_attempts(told: tuple[str, list[Row], Path]) -> None:
    text, rows, _ = told
    by_request: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: row["attempt_no"]):
        by_request.setdefault(row["request_id"], []).append(row)
    over = [attempts for attempts in by_request.values() if failed(attempts[0]) and not failed(attempts[-1])]
    assert f"{len(over)} requests met a failure and were answered by another provider; 0 got no answer" in text
    assert {attempts[0]["error_class"] for attempts in over} >= {"overloaded", "server_error", "timeout_first_byte"}
    assert all(attempts[0]["provider"] != attempts[-1]["provider"] for attempts in over)


def test_one_session_s_cost_is_told(told: tuple[str, list[Row], Path]) -> None:
    text, rows, _ = told
    session = [row for row in rows if row["session_id"] == "fix-invoice-rounding"]
    assert {row["agent_id"] for row in session} == {None, "explorer"}
    assert {row["finish_reason"] for row in session} >= {"tool_use"}
    assert f"session fix-invoice-rounding, {usd(settled(session))}" in text


def test_the_books_hold_and_agree_with_the_providers(told: tuple[str, list[Row], Path]) -> None:
    text, rows, folder = told
    exchanges = [row for row in rows if row["role"] != "cache"]
    assert f"counted {len(exchanges)} exchanges, the ledger has {len(exchanges)}" in text
    verified = json.loads(bascule(folder.parent, "ledger", "verify", "-c", str(folder / "bascule.yaml"), "--json"))
    assert verified["holds"] is True
    assert {row["usage_source"] for row in exchanges} == {"reported", "estimated", "none"}
    assert any(row["cost_nanousd"] is None for row in exchanges)


def test_it_goes_on_to_serve_until_ctrl_c_and_leaves_nothing(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "bascule", "demo", "--json"],
            stdout=out,
            stderr=err,
            cwd=tmp_path,
            env=environment(tmp_path),
        )
    try:
        until_s = time.monotonic() + TIME_S
        while "Ctrl-C ends it" not in (tmp_path / "err").read_text():
            assert process.poll() is None, (tmp_path / "err").read_text()
            assert time.monotonic() < until_s
            time.sleep(0.1)
        document = json.loads((tmp_path / "out").read_text())
        config = Path(document["config"])
        shown = json.loads(bascule(tmp_path, "report", "-c", str(config), "--by", "model", "--json"))
        assert document["by_model"]["groups"] == shown["groups"]
        assert document["scripted"] is True
        assert document["providers_counted"]["agrees"] is True
        assert f"curl {document['gateway']}/v1/chat/completions" in (tmp_path / "err").read_text()
        process.send_signal(signal.SIGINT)
        assert process.wait(TIME_S) == 0
    finally:
        process.kill()
        process.wait()
    assert not config.parent.exists()
    running = [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(config).encode() in _read(path)]
    assert running == []


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
