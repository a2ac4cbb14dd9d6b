"""Claude Code, the real one: installed once into the user's cache, run in an empty home."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.acceptance.clients.install import program_of
from tests.acceptance.clients.kits import CLAUDE_CODE

VERSION = CLAUDE_CODE.version
RUN_S = 90
QUIET = {
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
}
_EXPORT = re.compile(r"^export (\w+)=(.*)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A whole run with `-p … --output-format json`."""

    result: dict[str, Any]
    stderr: str


def installed() -> Path:
    """The program, from npm where it is not there yet. Raises NotInstalled: no silent skip."""
    return program_of(CLAUDE_CODE, "claude")


def exported(shell: str) -> dict[str, str]:
    """The variables of `export NAME=value` lines, as a shell would set them."""
    return {name: shlex.split(value)[0] for name, value in _EXPORT.findall(shell)}


def ask(prompt: str, tools: str, *, project: Path, home: Path, env: Mapping[str, str]) -> Ran:
    """One task without anybody watching. Ends by itself, or the test fails."""
    variables = {"PATH": os.environ["PATH"], "HOME": str(home), **QUIET, **env}
    done = subprocess.run(
        [str(installed()), "-p", prompt, "--allowedTools", tools, "--output-format", "json"],
        capture_output=True,
        text=True,
        cwd=project,
        env=variables,
        timeout=RUN_S,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, f"claude ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return Ran(result=json.loads(done.stdout), stderr=done.stderr)
