"""`python -m benchmarks.imports`: `bascule import claude-code` over generated logs, end to end with the store.

Prints seconds, lines per second and peak memory of the importing process, first import and import again.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.agent_logs import write_logs

_MEASURED = """
import resource, sys
from bascule.cli import main
sys.argv[0] = "bascule"
try:
    main(sys.argv[1:])
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    below = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime + below.ru_utime + below.ru_stime
    print(cpu, max(used.ru_maxrss, below.ru_maxrss), file=sys.stderr)
"""


def measured(arguments: list[str], folder: Path) -> tuple[float, float, int, dict[str, object]]:
    """(seconds, processor seconds, peak bytes, summary) of one run of the command in a process of its own."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, *arguments, "--json"], cwd=folder, capture_output=True, text=True
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stderr)
    cpu, peak = done.stderr.split()[-2:]
    return seconds, float(cpu), int(peak) * 1024, json.loads(done.stdout)


def figures(lines: int, *, dry: bool) -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory(prefix="bascule-bench-") as name:
        folder = Path(name)
        began = time.perf_counter()
        written = write_logs(folder / ".claude", lines)
        size = sum(path.stat().st_size for path in (folder / ".claude").rglob("*.jsonl"))
        print(
            f"generated {written:,} lines, {size / 1e9:.2f} GB in {time.perf_counter() - began:.1f} s", file=sys.stderr
        )
        (folder / "bascule.yaml").write_text(f"data_dir: {folder}/data\n")
        command = ["import", "claude-code", str(folder / ".claude"), "-c", str(folder / "bascule.yaml")]
        runs = [("dry run", [*command, "--dry-run"])]
        if not dry:
            runs += [("first", command), ("again", command)]
        found: list[dict[str, object]] = []
        for what, arguments in runs:
            seconds, cpu, peak, summary = measured(arguments, folder)
            found.append(
                {
                    "what": what,
                    "seconds": round(seconds, 2),
                    "cpu_seconds": round(cpu, 2),
                    "lines_per_s": round(written / seconds),
                    "megabytes_per_s": round(size / seconds / 1e6),
                    "peak_bytes": peak,
                    **{name: summary[name] for name in ("rows", "rows_new", "rows_replaced", "rows_same", "copies")},
                }
            )
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--dry", action="store_true", help="without the store")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = figures(asked.lines, dry=asked.dry)
    if asked.json:
        print(json.dumps(found, indent=2))
        return
    for run in found:
        peak = int(str(run["peak_bytes"])) / 1e6
        print(f"{run['what']:8} {run['seconds']:>6} s ({run['cpu_seconds']} s of processor), peak {peak:,.0f} MB")
        print(f"{'':8} {run['lines_per_s']:,} lines/s, {run['megabytes_per_s']} MB/s, {run['rows']:,} rows")


if __name__ == "__main__":
    main()
