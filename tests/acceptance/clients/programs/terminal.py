"""A program at a terminal of its own: keys go in, and what stands on the screen is looked for."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from agent import COMMAND

ROWS, COLUMNS = 50, 180
WAIT_S = 60.0
_CONTROL = rb"\x1b\[[0-9;?<>=]*[ -/]*[@-~]"
_TITLE = rb"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
_OTHER = rb"\x1b[PX^_].*?\x1b\\|\x1b[ -/]*."
_ESCAPES = re.compile(_CONTROL + b"|" + _TITLE + b"|" + _OTHER, re.DOTALL)


class Terminal:
    """Blanks are not compared: a screen is drawn by moving the cursor as often as by writing blanks."""

    def __init__(self, folder: Path, arguments: tuple[str, ...], env: Mapping[str, str]) -> None:
        self._written = b""
        self._seen = 0
        self._pid, self._master = pty.fork()
        if self._pid == 0:
            os.chdir(folder)
            os.execve(COMMAND, [COMMAND, *arguments], {**os.environ, **env, "TERM": "xterm-256color"})
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._master)

    def type(self, text: str) -> None:
        """Text as if pasted; once it is drawn, Enter."""
        self._seen = len(self._written)
        os.write(self._master, b"\x1b[200~" + text.encode() + b"\x1b[201~")
        self.wait_for(text)
        os.write(self._master, b"\r")

    def wait_for(self, text: str) -> None:
        """Read until the text was drawn since the last typing. Raises AssertionError with the screen's end."""
        wanted = "".join(text.split())
        deadline = time.monotonic() + WAIT_S
        while wanted not in self._drawn():
            assert time.monotonic() < deadline, f"{text!r} is not drawn; the end is {self._drawn()[-1500:]!r}"
            self._read_for(0.2)

    def _drawn(self) -> str:
        shown = _ESCAPES.sub(b"", self._written[self._seen :]).decode("utf-8", "replace")
        return "".join(shown.split())

    def _read_for(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self._master], [], [], left)[0]:
                return
            try:
                data = os.read(self._master, 65536)
            except OSError as error:
                raise AssertionError(f"the program has ended: {self._drawn()[-1500:]!r}") from error
            self._written += data
