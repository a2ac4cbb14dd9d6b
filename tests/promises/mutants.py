"""Mutants: the repository with one small patch that breaks a promise. Its tests must fail there."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.promises.conftest import RESULTS
from tests.promises.results import read

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).parent / "mutants"
NOT_COPIED = (".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis")
TIMEOUT_S = 300
NOT_A_VERDICT = ("SyntaxError", "ImportError", "ModuleNotFoundError", "NameError", "IndentationError")
"""A mutant that does not even run proves nothing about the test."""


@dataclass(frozen=True)
class Verdict:
    """What became of one mutant. `said`: the assertion that found it, or why it was not found."""

    mutant: str
    killed: bool
    said: str


def patches(numbers: list[int]) -> list[Path]:
    """Those of these promises, or all; their names begin with the promise's number."""
    return [path for path in sorted(FOLDER.glob("*.patch")) if not numbers or number_of(path) in numbers]


def number_of(patch: Path) -> int:
    return int(patch.name.partition("-")[0])


def tests_of(number: int) -> list[Path]:
    return sorted(Path(__file__).parent.glob(f"test_{number:02}_*.py"))


def applies(patch: Path) -> str:
    """Why the patch does not fit the code as it is; empty where it does."""
    done = subprocess.run(
        ["git", "apply", "--check", str(patch)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stderr.strip()


@contextmanager
def mutated(patch: Path) -> Iterator[Path]:
    """A copy of the repository with the patch in it."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder) / "bascule"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED), symlinks=True)
        subprocess.run(["git", "apply", str(patch)], cwd=copy, check=True, capture_output=True)
        yield copy


def judge(patch: Path) -> Verdict:
    """Run the promise's small tests on the mutant."""
    tests = [str(path.relative_to(ROOT)) for path in tests_of(number_of(patch))]
    if not tests:
        return Verdict(patch.name, killed=False, said="the promise has no test")
    with mutated(patch) as copy:
        results = copy.parent / "results.jsonl"
        env = {**os.environ, "PYTHONPATH": str(copy / "src"), RESULTS: str(results), "CI": "true"}
        command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", *tests]
        try:
            ran = subprocess.run(
                command, cwd=copy, env=env, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            return Verdict(patch.name, killed=False, said=f"no verdict within {TIMEOUT_S} s")
        failed = [result for result in read(results) if not result.passed]
    if ran.returncode == 0:
        return Verdict(patch.name, killed=False, said="all tests passed")
    if not failed or failed[0].error.startswith(NOT_A_VERDICT):
        return Verdict(patch.name, killed=False, said=failed[0].error if failed else ran.stdout[-500:])
    return Verdict(patch.name, killed=True, said=" ".join(failed[0].error.split())[:160])
