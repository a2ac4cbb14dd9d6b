"""Results on disk: one file a run, a header and then a line a result, each whole or not there.

A run that was killed goes on from its file: what is in it is not asked again. The last line may be torn; it is cut off.
"""

import fcntl
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from bascule.model.errors import BasculeError, StoreError
from bascule.model.money import usd_text

FOLDER = "evals"
SUFFIX = ".jsonl"
FORMAT = 1
Outcome = Literal["graded", "broken", "ungraded", "unanswered"]
"""`graded`: has a score. `broken`: the model cannot answer this request, which is a score of 0. `ungraded`: answered,
and nothing can tell what it is worth. `unanswered`: for another reason than the model (no money, a provider that is
down)."""


class Header(Struct, frozen=True, kw_only=True):
    run: str
    suite: str
    source: str
    digest: str
    """Of cases and graders: only a run of the same goes on."""
    models: tuple[str, ...]
    judge: str | None
    at_ms: int
    cases: int
    keeps_content: bool
    max_nanousd: int | None
    format: int = FORMAT


class Result(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One case answered by one model. Money in nano-USD; None is unknown."""

    case: str
    model: str
    outcome: Outcome
    score: float | None = None
    """0 to 1; None unless graded or broken."""
    passed: bool | None = None
    reason: str | None = None
    """Left out where content is not kept: it may quote."""
    grader: str | None = None
    digest: str | None = None
    """Of the case: what was asked and how it was graded."""
    task: str | None = None
    tags: tuple[str, ...] = ()
    answer: str | None = None
    status: int = 0
    error: str | None = None
    finish_reason: str | None = None
    request_id: str | None = None
    provider: str | None = None
    model_reported: str | None = None
    cost_nanousd: int | None = None
    """Of the answer, also where it was taken from an earlier run."""
    judge_nanousd: int = 0
    latency_ms: int | None = None
    tokens_in: int | None = None
    tokens_cache_read: int | None = None
    tokens_out: int | None = None
    reused: bool = False
    """The answer is that of an earlier run: nothing was paid for it in this one."""
    consistent: bool | None = None
    """Of a comparison: both orders said the same."""

    @property
    def done(self) -> bool:
        """Asking again would say nothing new."""
        return self.outcome in ("graded", "broken")


class Run(Struct, frozen=True, kw_only=True):
    header: Header
    results: tuple[Result, ...]
    """The last of each case and model, in the order of their first."""
    path: Path

    def of(self, model: str) -> list[Result]:
        return [result for result in self.results if result.model == model]


class RunWriter:
    """Appends results to a run's file."""

    def __init__(self, path: Path, header: Header | None) -> None:
        """`header` begins a file; None goes on with one, whose torn end is cut off. Raises StoreError."""
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | (os.O_CREAT | os.O_EXCL if header else 0)
            self._fd = os.open(path, flags, 0o600)
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreError(f"{path} is being written by another process; wait for it, or stop it") from error
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror}") from error
        if header is None:
            whole = path.read_bytes().rfind(b"\n") + 1
            os.truncate(path, whole)
        else:
            self._append(header)

    def add(self, result: Result) -> None:
        """Raises StoreError."""
        self._append(result)

    def close(self) -> None:
        os.close(self._fd)

    def _append(self, value: Header | Result) -> None:
        line = msgspec.json.encode(value) + b"\n"
        try:
            written = os.write(self._fd, line)
        except OSError as error:
            raise StoreError(f"{self.path} cannot be written: {error.strerror}") from error
        if written != len(line):
            raise StoreError(f"{self.path} took only a part of a line; is the disk full?")


def folder_of(data_dir: Path) -> Path:
    return data_dir / FOLDER


def path_of(data_dir: Path, run: str) -> Path:
    return folder_of(data_dir) / f"{run}{SUFFIX}"


def find_run(data_dir: Path, name: str) -> Run:
    """A run by its id, the file that it is in, or `last`. Raises BasculeError where there is none."""
    if name == "last":
        paths = _paths(data_dir)
        if not paths:
            raise BasculeError(f"no runs in {folder_of(data_dir)}; `bascule eval run SUITE --models A,B` makes one")
        return read_run(paths[-1])
    direct = Path(name)
    path = direct if direct.suffix == SUFFIX else path_of(data_dir, direct.name)
    if not path.is_file():
        known = ", ".join([one.stem for one in _paths(data_dir)][-5:]) or "none"
        raise BasculeError(f"there is no run {name!r} in {folder_of(data_dir)} (the latest: {known})")
    return read_run(path)


def read_run(path: Path) -> Run:
    """Raises BasculeError where the file is no run."""
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except OSError as error:
        raise BasculeError(f"{path} cannot be read: {error.strerror}") from error
    if not lines:
        raise BasculeError(f"{path} is no run: it is empty")
    results: dict[tuple[str, str], Result] = {}
    try:
        header = msgspec.json.decode(lines[0], type=Header)
        for line in lines[1:]:
            result = msgspec.json.decode(line, type=Result)
            results[result.case, result.model] = result
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BasculeError(f"{path} is no run of this release: {error}") from error
    return Run(header=header, results=tuple(results.values()), path=path)


def all_runs(data_dir: Path) -> list[Run]:
    """Oldest first. Raises BasculeError where a file of the folder is no run."""
    return [read_run(path) for path in _paths(data_dir)]


def unfinished(data_dir: Path, *, digest: str, models: Iterable[str], judge: str | None) -> Run | None:
    """The latest run of the same cases, graders, models and judge, finished or not."""
    wanted = (digest, tuple(models), judge)
    for path in reversed(_paths(data_dir)):
        found = read_run(path)
        if (found.header.digest, found.header.models, found.header.judge) == wanted:
            return found
    return None


def free_id(data_dir: Path, stamp: str) -> str:
    """`stamp`, with a number behind it where that is taken."""
    name, number = stamp, 1
    while path_of(data_dir, name).exists():
        number += 1
        name = f"{stamp}-{number}"
    return name


def _paths(data_dir: Path) -> list[Path]:
    return sorted(folder_of(data_dir).glob(f"*{SUFFIX}"), key=lambda path: (path.stat().st_mtime_ns, path.name))


def result_payload(result: Result) -> dict[str, Any]:
    """Stable keys; money as `*_usd`."""
    return {
        "case": result.case,
        "model": result.model,
        "outcome": result.outcome,
        "score": result.score,
        "passed": result.passed,
        "reason": result.reason,
        "grader": result.grader,
        "task": result.task,
        "tags": list(result.tags),
        "answer": result.answer,
        "status": result.status,
        "error": result.error,
        "finish_reason": result.finish_reason,
        "request_id": result.request_id,
        "provider": result.provider,
        "model_reported": result.model_reported,
        "cost_usd": usd_text(result.cost_nanousd),
        "judge_usd": usd_text(result.judge_nanousd),
        "latency_ms": result.latency_ms,
        "tokens_in": result.tokens_in,
        "tokens_cache_read": result.tokens_cache_read,
        "tokens_out": result.tokens_out,
        "reused": result.reused,
        "consistent": result.consistent,
    }
