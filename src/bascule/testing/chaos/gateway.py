"""The real `bascule serve` as a process, and the commands beside it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from bascule.model.errors import BasculeError

START_S = 20.0
STOP_S = 30.0
COMMAND_S = 60.0
_LISTENS = re.compile(r'listens on (http://[^\s"]+)')

Json = dict[str, Any]


class GatewayFailed(BasculeError):
    """The gateway, or a command beside it, did not do what it must. Its output is in the message."""


class GatewayProcess:
    """One gateway in a folder of its own: configuration, data, home and what it wrote."""

    def __init__(self, folder: Path, config: Json | None, env: Mapping[str, str] | None = None) -> None:
        """`config`: what to write to `file`; None leaves there what there is."""
        self.folder = folder
        self.file = folder / "bascule.yaml"
        self.data_dir = folder / "data"
        self.stdout = folder / "stdout.log"
        self.stderr = folder / "stderr.log"
        self.env = clean_environment(folder, env or {})
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None
        if config is not None:
            self.write_config(config)

    def write_config(self, config: Json) -> None:
        """In one step, so that a watching gateway never sees half of it. JSON is YAML."""
        text = json.dumps({"data_dir": "data", **config}, indent=1)
        fresh = self.file.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self.file)

    def start(self, *arguments: str, preexec: Any = None) -> Self:
        """Begin to serve; returns once it listens. Raises GatewayFailed with its output where it ends instead."""
        already = self.output().count("listens on")
        self.begin(*arguments, preexec=preexec)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            found = _LISTENS.findall(self.output())
            if len(found) > already:
                self.url = found[-1]
                return self
            if not self.running:
                break
            time.sleep(0.02)
        self.kill()
        raise GatewayFailed(f"the gateway does not listen:\n{self.output()}")

    def begin(self, *arguments: str, preexec: Any = None) -> None:
        """As `start`, without waiting for it to listen."""
        with self.stdout.open("ab") as out, self.stderr.open("ab") as err:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-m", "bascule", "serve", "-c", str(self.file), "--port", "0", *arguments],
                stdout=out,
                stderr=err,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
                env=self.env,
                preexec_fn=preexec,
                start_new_session=True,  # so that `kill` reaches its workers, and Ctrl-C only who started it
            )

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self, timeout_s: float = STOP_S) -> int:
        assert self._process is not None
        return self._process.wait(timeout_s)

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        assert self._process is not None
        if self.running:
            self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """SIGKILL to it and all its workers: as a crash of the machine's memory, but not of its disk."""
        if self._process is not None and self.running:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(STOP_S)

    def workers(self) -> list[int]:
        """The process ids of its worker processes; empty where it serves by itself."""
        told = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid="],  # noqa: S607 - wherever the system has it
            capture_output=True,
            text=True,
            check=True,
        )
        pairs = [line.split() for line in told.stdout.splitlines()]
        return sorted([int(child) for child, parent in pairs if int(parent) == self.pid])

    def output(self) -> str:
        """Standard output and error so far."""
        return "".join(
            path.read_text(encoding="utf-8", errors="replace") for path in (self.stdout, self.stderr) if path.exists()
        )

    # Beside it.

    def command(self, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """`bascule ARGUMENTS` with this gateway's environment."""
        return subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "bascule", *arguments],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env={**self.env, **(env or {})},
            timeout=COMMAND_S,
            stdin=subprocess.DEVNULL,
        )

    def run(self, *arguments: str) -> str:
        """The output of a command that must succeed; the configuration is named for it."""
        done = self.command(*arguments, "-c", str(self.file))
        if done.returncode != 0:
            raise GatewayFailed(f"bascule {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}")
        return done.stdout

    def rows(self, kind: str = "attempts") -> list[Json]:
        """The ledger as a user exports it."""
        return [json.loads(line) for line in self.run("ledger", "export", "--rows", kind).splitlines()]

    def verify(self) -> Json:
        """The verdict of `ledger verify`. Raises GatewayFailed where it does not hold."""
        verdict: Json = json.loads(self.run("ledger", "verify", "--json"))
        if not verdict["holds"]:
            raise GatewayFailed(f"the ledger does not hold: {verdict}")
        return verdict

    def get(self, path: str, key: str | None = None) -> tuple[int, str]:
        """Status and body of a plain GET."""
        request = urllib.request.Request(self.url + path)  # noqa: S310 - its own address
        if key is not None:
            request.add_header("authorization", f"Bearer {key}")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metric(self, name: str, key: str | None = None) -> float:
        """The value of a metric without labels."""
        status, page = self.get("/metrics", key)
        if status != 200:
            raise GatewayFailed(f"/metrics answers {status}: {page}")
        found = [line.split()[1] for line in page.splitlines() if line.startswith(f"{name} ")]
        if len(found) != 1:
            raise GatewayFailed(f"/metrics has {len(found)} lines of {name}")
        return float(found[0])

    def settled(self, key: str | None = None, timeout_s: float = 15.0) -> None:
        """Wait until no request is in flight and no hold open. Raises GatewayFailed with what is."""
        deadline = time.monotonic() + timeout_s
        while True:
            state = {name: self.metric(name, key) for name in ("bascule_in_flight", "bascule_open_holds")}
            if not any(state.values()):
                return
            if time.monotonic() > deadline:
                raise GatewayFailed(f"still open after {timeout_s} s: {state}")
            time.sleep(0.05)


def clean_environment(folder: Path, more: Mapping[str, str]) -> dict[str, str]:
    """Nothing of the caller's but what programs need to run: no keys, no proxies, an empty home."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TZ") if name in os.environ}
    return {**kept, "HOME": str(home), "PYTHONUNBUFFERED": "1", **more}
