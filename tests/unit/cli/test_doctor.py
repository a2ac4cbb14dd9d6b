import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bascule.cli.period import now_ms
from bascule.offline.diagnosis import clock_finding, disk_finding, journal_findings, prices_finding

DAY = 86_400_000


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def point_to(place: Path, port: int) -> None:
    file = place / "bascule.yaml"
    file.write_text(file.read_text().replace("127.0.0.1:9/", f"127.0.0.1:{port}/"))


def by_name(document: Any) -> dict[str, Any]:
    return {check["name"]: check for check in document["checks"]}


def test_all_is_well(run: Any, place: Path, port: int, book: Any) -> None:
    point_to(place, port)
    book.attempt(start=now_ms())
    found = run("doctor", "--json")
    assert found.code == 0, found.out
    assert set(found.json) == {"ok", "checks"}
    checks = by_name(found.json)
    assert {"configuration", "key local", "reach local", "database", "clock", "journal", "prices", "disk"} <= set(
        checks
    )
    assert set(checks["disk"]) == {"name", "status", "what", "remedy"}
    assert all(check["status"] != "fail" for check in checks.values())
    assert "schema version" in checks["database"]["what"]
    assert "1 being written" in checks["journal"]["what"]


def test_a_journal_left_behind(run: Any, place: Path, port: int, book: Any) -> None:
    point_to(place, port)
    book.attempt()
    book.journal.close(remove=False)
    assert by_name(run("doctor", "--json").json)["journal"]["status"] == "warn"


def test_what_fails_fails_with_a_remedy(run: Any, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        gone = server.getsockname()[1]
    point_to(place, gone)
    found = run("doctor")
    assert found.code == 1
    assert "cannot be reached" in found.out
    monkeypatch.delenv("CI_KEY")
    checks = by_name(run("doctor", "--json").json)
    assert checks["configuration"]["status"] == "fail"
    assert "CI_KEY" in checks["configuration"]["what"]
    # The rest is looked at all the same.
    assert "disk" in checks


def test_a_damaged_database(run: Any, place: Path, port: int) -> None:
    point_to(place, port)
    (place / "data").mkdir()
    (place / "data" / "ledger.sqlite3").write_bytes(b"not a database, " * 100)
    checks = by_name(run("doctor", "--json").json)
    assert checks["database"]["status"] == "fail"


def test_no_folder_is_made(run: Any, place: Path, port: int) -> None:
    point_to(place, port)
    assert run("doctor").code == 0
    assert not (place / "data").exists()


def test_clock() -> None:
    now = now_ms()
    assert clock_finding(now, None).status == "ok"
    assert clock_finding(now, now + 60_000).status == "ok"
    assert clock_finding(now, now + DAY).status == "fail"
    assert clock_finding(0, None).status == "fail"


def test_prices_disk_and_journals() -> None:
    now = now_ms()
    assert prices_finding(now - 10 * DAY, now, "v").status == "ok"
    assert prices_finding(now - 91 * DAY, now, "v").status == "warn"
    assert prices_finding(None, now, "v").status == "warn"
    assert [disk_finding(size, "/").status for size in (1 << 40, 1 << 29, 1 << 20)] == ["ok", "warn", "fail"]
    assert [one.status for one in journal_findings(1, 0, 0, 3)] == ["ok"]
    assert [one.status for one in journal_findings(0, 2, 1, 0)] == ["warn", "warn"]
