"""A user's own grader, in a process of its own.

The child gets what it grades on standard input and nothing else of ours: an empty environment, an empty folder,
limits on time, memory, files and processes, and a network without interfaces where the system lets an ordinary user
have one. This keeps a slip from doing harm; it is no prison for a hostile program, whose author could as well be
asked to leave.
"""

import asyncio
import contextlib
import os
import signal
import sys
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Any

import orjson
from msgspec import Struct

from bascule.decide.grade import Score
from bascule.decide.json_schema import GraderError
from bascule.offline.evaluation.graders import Python

MAX_OUTPUT_BYTES = 64 * 1024
MAX_REASON_CHARS = 500
_CHILD = r"""
import ctypes, json, os, resource, sys

def limit(kind, amount):
    hard = resource.getrlimit(kind)[1]
    amount = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
    resource.setrlimit(kind, (amount, amount))

told = json.loads(sys.stdin.buffer.read())
isolated = False
if sys.platform.startswith("linux"):
    # CLONE_NEWUSER | CLONE_NEWNET: a user's own name space with no interface in it.
    isolated = ctypes.CDLL(None, use_errno=True).unshare(0x10000000 | 0x40000000) == 0
limit(resource.RLIMIT_CPU, told["cpu_s"])
if sys.platform != "darwin":
    limit(resource.RLIMIT_AS, told["memory_bytes"])
limit(resource.RLIMIT_FSIZE, 16 * 1024 * 1024)
limit(resource.RLIMIT_NOFILE, 64)
limit(resource.RLIMIT_CORE, 0)
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what the grader prints is not its verdict
space = {"__name__": "grader", "__file__": told["file"]}
with open(told["file"], encoding="utf-8") as source:
    exec(compile(source.read(), told["file"], "exec"), space)
given = space[told["function"]](told["case"], told["answer"])
score, reason = given if isinstance(given, tuple) else (given, "")
json.dump({"score": float(score), "reason": str(reason), "isolated": isolated}, answers)
answers.flush()
"""


class Hooked(Struct, frozen=True):
    """What the user's function says."""

    score: Score
    isolated: bool
    """It had no network."""


async def graded_by(grader: Python, case: dict[str, Any], answer: str) -> Hooked:
    """Raises GraderError where the function fails, runs too long, or says no number from 0 to 1."""
    told = {
        "file": grader.file,
        "function": grader.function,
        "case": case,
        "answer": answer,
        "cpu_s": max(1, int(grader.timeout_s) + 1),
        "memory_bytes": grader.memory_mb * 1024 * 1024,
    }
    # Into files, not pipes: the child's limit on files bounds them, whatever it prints.
    with TemporaryDirectory(prefix="bascule-grader-") as folder, TemporaryFile() as out, TemporaryFile() as err:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-c", _CHILD,
            stdin=asyncio.subprocess.PIPE, stdout=out, stderr=err,
            cwd=folder, env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}, start_new_session=True,
        )  # fmt: skip
        try:
            await asyncio.wait_for(process.communicate(orjson.dumps(told)), grader.timeout_s)
        except TimeoutError:
            raise GraderError(f"{grader.file}: `{grader.function}` took longer than {grader.timeout_s:g} s") from None
        finally:
            await _end(process)
        if process.returncode != 0:
            last = _last_line(_tail(err)) or f"exit status {process.returncode}"
            raise GraderError(f"{grader.file}: {last}")
        return _read(grader, _tail(out))


async def _end(process: asyncio.subprocess.Process) -> None:
    """The child and all that it started, which are a session of their own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _tail(file: IO[bytes]) -> bytes:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - MAX_OUTPUT_BYTES))
    return file.read()


def _last_line(text: bytes) -> str:
    return text.decode("utf-8", "replace").strip().rpartition("\n")[2][:MAX_REASON_CHARS]


def _read(grader: Python, out: bytes) -> Hooked:
    try:
        said = orjson.loads(out)
        score, reason, isolated = said["score"], said["reason"], said["isolated"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise GraderError(f"{grader.file}: `{grader.function}` gave back nothing that can be read") from None
    if not isinstance(score, float) or not 0 <= score <= 1:
        raise GraderError(f"{grader.file}: `{grader.function}` gave {score}, which is not from 0 to 1")
    why = " ".join(str(reason).split())[:MAX_REASON_CHARS] or f"by {grader.function}"
    return Hooked(Score(score, why), isolated is True)
