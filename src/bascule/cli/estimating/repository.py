"""Commits of a git repository, counted: how many there were in a window of time, and how large their diffs."""

import subprocess
from fractions import Fraction
from pathlib import Path

from bascule.decide.window import DAY_MS
from bascule.model.errors import BasculeError
from bascule.offline.background import Commits, count_commits

MARK = b"\x01commit"


def repository_commits(path: Path, since_ms: int, until_ms: int) -> Commits:
    """Commits that HEAD has reached, merges left out, by the time of commit. Raises BasculeError."""
    command = [
        "git", "-C", str(path), "log", "--no-merges", "--no-color", "--no-ext-diff", "--no-textconv",
        f"--since=@{since_ms // 1000}", f"--until=@{until_ms // 1000}", "--format=%x01commit", "-p",
    ]  # fmt: skip
    days = Fraction(until_ms - since_ms, DAY_MS)
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as git:  # noqa: S603
            assert git.stdout is not None
            assert git.stderr is not None
            found = count_commits(git.stdout, MARK, days)
            said = git.stderr.read().decode(errors="replace").strip()
    except OSError as error:
        raise BasculeError(f"git cannot be run: {error.strerror}; --repo needs it") from error
    if git.returncode:
        raise BasculeError(f"{path}: git log failed: {said.splitlines()[0] if said else 'no reason given'}")
    if not found.commits:
        raise BasculeError(f"{path}: no commits in the last {float(days):g} days; look further back with --since")
    return found
