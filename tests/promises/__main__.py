"""`python -m tests.promises`: prove the promises, print promise, fault, figure and result; or see the mutants fail."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from tests.promises import mutants, page
from tests.promises.conftest import FULL, RESULTS
from tests.promises.promised import PENDING, PROMISES
from tests.promises.results import Result, read, unproved, verdict

PROCESSES = "2"
"""Files of tests that run at once; most of their time they wait."""


def run(numbers: list[int], *, full: bool) -> tuple[list[Result], int]:
    """The results and pytest's exit status."""
    chosen = [str(path) for number in numbers for path in mutants.tests_of(number)] or [str(Path(__file__).parent)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "results.jsonl"
        env = {**os.environ, RESULTS: str(file), FULL: "1" if full else ""}
        side_by_side = ["--numprocesses", PROCESSES, "--dist", "loadfile"] if len(chosen) > 1 or not numbers else []
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "promise", *side_by_side, *chosen]
        ran = subprocess.run(command, cwd=mutants.ROOT, env=env, check=False)
        return read(file), ran.returncode


def show(results: list[Result], console: Console) -> None:
    table = Table("#", "promise", "fault", "holds if", "figure", "s", "result")
    for result in results:
        words = PROMISES[result.promise]
        took = f"{result.seconds:.1f}"
        table.add_row(str(result.promise), words, result.fault, result.limit, result.figure, took, verdict(result))
    for number, why in PENDING.items():
        table.add_row(str(number), PROMISES[number], "", "", "", "", f"pending: {why}")
    console.print(table)


def prove(numbers: list[int], console: Console, *, full: bool, write: bool) -> int:
    began = time.monotonic()
    results, status = run(numbers, full=full)
    show(results, console)
    left = [] if numbers else unproved(results)
    failed = [result for result in results if not result.passed]
    passed = len(results) - len(failed)
    print(f"{passed} passed, {len(failed)} failed in {time.monotonic() - began:.0f} s; pending: {len(PENDING)}", end="")
    print(f"; without a test: {', '.join(map(str, left))}" if left else "")
    if write:
        page.write(results)
    return int(bool(status or failed or left))


def attack(numbers: list[int]) -> int:
    survived = 0
    for patch in mutants.patches(numbers):
        found = mutants.judge(patch)
        survived += not found.killed
        print(f"{'killed  ' if found.killed else 'SURVIVED'} {found.mutant}: {found.said}", flush=True)
    print(f"{len(mutants.patches(numbers)) - survived} killed, {survived} survived")
    return int(bool(survived))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.promises", description=__doc__)
    parser.add_argument("numbers", nargs="*", type=int, help="promises; all where none is named")
    parser.add_argument("--small", action="store_true", help="the size that the tests of the repository have")
    parser.add_argument("--mutants", action="store_true", help="see the tests fail on each mutant")
    parser.add_argument("--write", action="store_true", help="write docs/promises.md with the figures of this run")
    told = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 200)
    if told.mutants:
        return attack(told.numbers)
    return prove(told.numbers, console, full=not told.small, write=told.write)


if __name__ == "__main__":
    sys.exit(main())
