"""Programs of the operator's own that look at answers, each in a process of its own.

It gets the answer on standard input and nothing else of ours: a bare environment, an empty folder, limits on time,
memory, files and processor, and a network without interfaces where the system lets an ordinary user have one. That
keeps a slip, or an answer that makes a test run wild, from doing harm; it is no prison for a hostile program.
"""

import asyncio
import contextlib
import os
import signal
import sys
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO

from bascule.model.strategy import COMMAND_PATH, CommandPolicy
from bascule.ports.commands import Said

MAX_TOLD_BYTES = 4 * 1024
MAX_DETAIL_CHARS = 200
_CHILD = r"""
import ctypes, os, resource, sys

def limit(kind, amount):
    hard = resource.getrlimit(kind)[1]
    amount = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
    resource.setrlimit(kind, (amount, amount))

if sys.platform.startswith("linux"):
    # CLONE_NEWUSER | CLONE_NEWNET: a user's own name space with no interface in it.
    ctypes.CDLL(None, use_errno=True).unshare(0x10000000 | 0x40000000)
limit(resource.RLIMIT_CPU, int(sys.argv[1]))
if sys.platform != "darwin":
    limit(resource.RLIMIT_AS, int(sys.argv[2]))
limit(resource.RLIMIT_FSIZE, 16 * 1024 * 1024)
limit(resource.RLIMIT_NOFILE, 64)
limit(resource.RLIMIT_CORE, 0)
try:
    os.execvp(sys.argv[3], sys.argv[3:])
except OSError as error:
    print(error, file=sys.stderr)
    os._exit(127)
"""
NOT_STARTED = 127
"""The status with which shells, and we, say that a program could not be started."""
ENVIRONMENT = {"PATH": COMMAND_PATH, "LANG": "C.UTF-8"}


class LocalCommands:
    """Implements `ports.Commands` on this machine."""

    def __init__(self) -> None:
        self._turns: dict[CommandPolicy, asyncio.Semaphore] = {}

    async def ask(self, policy: CommandPolicy, given: bytes) -> Said:
        turn = self._turns.get(policy)
        if turn is None:
            turn = self._turns[policy] = asyncio.Semaphore(policy.max_at_once)
        async with turn:
            return await _asked(policy, given)


async def _asked(policy: CommandPolicy, given: bytes) -> Said:
    # Into files, not pipes: the child's limit on files bounds them, whatever it prints.
    with TemporaryDirectory(prefix="bascule-command-") as folder, TemporaryFile() as told:
        limits = (str(max(1, int(policy.timeout_s) + 1)), str(policy.max_memory_bytes))
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-c", _CHILD, *limits, *policy.run,
                stdin=asyncio.subprocess.PIPE, stdout=told, stderr=told,
                cwd=folder, env=ENVIRONMENT, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            return Said(None, f"it could not be started: {error.strerror}")
        try:
            await asyncio.wait_for(process.communicate(given), policy.timeout_s)
        except TimeoutError:
            return Said(None, f"it took longer than {policy.timeout_s:g} s")
        finally:
            await _end(process)
        status = process.returncode
        detail = _last_line(told)
        if status is None or status < 0 or status == NOT_STARTED:
            return Said(None, detail or f"it ended by signal {-(status or 0)}")
        return Said(status == 0, detail)


async def _end(process: asyncio.subprocess.Process) -> None:
    """The child and all that it started, which are a session of their own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _last_line(file: IO[bytes]) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - MAX_TOLD_BYTES))
    return file.read().decode("utf-8", "replace").strip().rpartition("\n")[2][:MAX_DETAIL_CHARS]
