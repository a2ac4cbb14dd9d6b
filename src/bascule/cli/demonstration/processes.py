"""The demo's two processes: the simulated providers, and the gateway itself as `bascule serve` runs it."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from bascule.model.errors import BasculeError

START_S = 30.0
STOP_S = 15.0
_LISTENS = re.compile(r'listens on (http://[^\s"]+)')
_SIMULATED = re.compile(r'"port":([0-9]+)')


class Process:
    """A child that says in its log where it listens. Ended with the context, the polite way first."""

    def __init__(self, name: str, arguments: list[str], log: Path, listens: re.Pattern[str]) -> None:
        self._name = name
        self._arguments = arguments
        self._log = log
        self._listens = listens
        self._process: subprocess.Popen[bytes] | None = None
        self.address = ""
        """What the pattern found."""

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            # A session of its own: Ctrl-C reaches the demo alone, which then ends its children in order.
            self._process = subprocess.Popen(  # noqa: S603 - our own modules
                [sys.executable, "-m", *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(),
                start_new_session=True,
            )
        try:
            self.address = self._wait_for_address(self._process)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait(self) -> int:
        """Until it ends by itself."""
        assert self._process is not None
        return self._process.wait()

    def log_tail(self, lines: int = 3) -> str:
        """The last lines that it wrote."""
        return "\n".join(self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def stop(self) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _wait_for_address(self, process: subprocess.Popen[bytes]) -> str:
        until_s = time.monotonic() + START_S
        while time.monotonic() < until_s:
            said = self._log.read_text(encoding="utf-8", errors="replace")
            found = self._listens.search(said)
            if found is not None:
                return found[1]
            if process.poll() is not None:
                raise BasculeError(f"{self._name} ended with status {process.returncode}:\n{said.strip()}")
            time.sleep(0.02)
        raise BasculeError(f"{self._name} did not start within {START_S:.0f} s; it has said:\n{said.strip()}")


def simulated_providers(file: Path, seed: int) -> Process:
    arguments = ["bascule.testing.simulation", "--file", str(file), "--seed", str(seed)]
    return Process("the simulated providers", arguments, file.with_suffix(".log"), _SIMULATED)


def gateway(config: Path, port: int) -> Process:
    arguments = ["bascule", "serve", "-c", str(config), "--port", str(port), "--log-level", "warning"]
    return Process("the gateway", arguments, config.with_name("gateway.log"), _LISTENS)


def _environment() -> dict[str, str]:
    """Ours without proxies: everything here is on loopback."""
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
