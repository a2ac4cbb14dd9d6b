"""`python -m benchmarks.reports`: ten million ledger rows, and what each report over them takes.

The rows are made by `generate.sql` straight into segments, a day at a time: 90 days, 40 models of prices from 0.1 to
15 USD per million input tokens, 200 users in 20 teams, 300,000 sessions of log-normal requests, four requests in a
hundred retried, some left by their client, some without a price. Then each command runs as a process of its own, as a
user would run it, start-up and all.
"""

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bascule.compose import open_store, read_document
from bascule.model.row import GATEWAY
from bascule.storage.analytics.connect import connect
from bascule.storage.analytics.load import copy_to_parquet, create_table, sums_path
from bascule.storage.analytics.schema import VERSION, derive_sql
from bascule.storage.segments.manifest import Manifest, SegmentFile, write_manifest
from bascule.storage.sqlite.connect import FILE_NAME

DAYS = 90
LAST_DAY = 20_698
"""2026-09-02, in days since the epoch."""
SESSIONS_PER_DAY = 3_333
ATTEMPTS_PER_REQUEST = 1.0461
LIMIT_S = 3.0
LIMIT_MB = 1_000

CONFIG = "data_dir: data\n"

COMMANDS = (
    "report",
    "report --by model",
    "report --by provider",
    "report --by market",
    "report --by org",
    "report --by team",
    "report --by department --department project-1=Sales",
    "report --by user",
    "report --by key",
    "report --by project",
    "report --by session --top 50",
    "report --by agent",
    "report --by task",
    "report --by tag:feature",
    "report --by pr",
    "report --by branch",
    "report --by outcome",
    "report --by client",
    "report --by origin",
    "report --by day",
    "report --by hour",
    "report --by month",
    "report --by team,model",
    "report --by user,day",
    "report --by model --month 2026-08",
    "report --chargeback team --shared tokens",
    "report --showback project",
    "report --right-sizing",
    "sessions",
    "sessions --sort cost --limit 20",
    "sessions show session-0000000000000000002069000001",
)


def generate(folder: Path, rows: int) -> int:
    """Make a data directory with about so many rows, all of them in segments; returns how many there are."""
    (folder / "bascule.yaml").write_text(CONFIG)
    document = read_document(str(folder / "bascule.yaml"), {})
    store = open_store(folder / "data", document.config)
    with store.ledger.snapshot() as snapshot:
        identity = snapshot.identity()
    store.database.close()
    segments = store.segments.folder
    segments.mkdir(mode=0o700, parents=True)
    requests = round(rows / DAYS / ATTEMPTS_PER_REQUEST)
    text = (Path(__file__).parent / "generate.sql").read_text()
    files = []
    for day in range(LAST_DAY - DAYS, LAST_DAY):
        path = segments / f"{day}.parquet"
        with connect(folder) as connection:
            create_table(connection)
            staged = text.format(day=day, requests=requests, sessions=SESSIONS_PER_DAY)
            connection.execute(f"INSERT INTO attempts BY NAME {derive_sql(f'({staged})')}")
            made = copy_to_parquet(connection, "attempts", path)
        hours = dict.fromkeys(range(day * 24, day * 24 + 25), 1)
        sums = sums_path(path)
        files.append(SegmentFile(origin=GATEWAY, day=day, file=path.name, rows=made.rows, empty=made.empty,
                                 size_bytes=path.stat().st_size, sums=sums.name, sums_bytes=sums.stat().st_size,
                                 hours=hours))  # fmt: skip
    write_manifest(segments, Manifest(table_version=VERSION, store=identity, files=tuple(files)))
    written = sqlite3.connect(folder / "data" / FILE_NAME)
    every = [(GATEWAY, hour) for hour in range((LAST_DAY - DAYS) * 24, LAST_DAY * 24 + 1)]
    with written:
        written.executemany("INSERT INTO changed_hours VALUES (?, ?, 1)", every)
    written.close()
    return sum(one.rows for one in files)


def measure(command: str, folder: Path) -> tuple[float, float, int]:
    """Seconds, peak megabytes and bytes of output of one command. Raises RuntimeError where it fails."""
    # Whoever installs it has its bytecode; from a checkout the first command leaves it beside the rows.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "bascule", *command.split(), "-c", str(folder / "bascule.yaml")],
        stdout=subprocess.PIPE,
        cwd=folder,
        env={**environment, "PYTHONPYCACHEPREFIX": str(folder / "bytecode")},
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode != 0:
        raise RuntimeError(f"bascule {command} ended with status {process.returncode}")
    return time.perf_counter() - began, usage.ru_maxrss / 1024, len(output)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, help="keep the rows there, and use them if they are there")
    parser.add_argument("--only", help="commands that hold this text")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="bascule-reports-"))
    try:
        _run(folder, options.rows, options.only or "", options.json)
    finally:
        if options.folder is None:
            shutil.rmtree(folder)


def _run(folder: Path, rows: int, only: str, as_json: bool) -> None:
    if not (folder / "bascule.yaml").exists():
        folder.mkdir(parents=True, exist_ok=True)
        began = time.perf_counter()
        made = generate(folder, rows)
        print(f"{made:,} rows made in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    figures = {}
    for command in [one for one in COMMANDS if only in one]:
        seconds, megabytes, size = measure(command, folder)
        figures[command] = {"seconds": round(seconds, 2), "peak_mb": round(megabytes)}
        over = " OVER" if seconds > LIMIT_S or megabytes > LIMIT_MB else ""
        if not as_json:
            print(f"{seconds:6.2f} s {megabytes:6.0f} MB  {size:8,} B  {command}{over}", flush=True)
    if as_json:
        print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
