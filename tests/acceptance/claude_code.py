"""Claude Code, the real one: installed once beside the virtual environment, run in an empty home."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VERSION = "2.1.197"
PACKAGE = f"@anthropic-ai/claude-code@{VERSION}"
INSTALL_S = 300
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
    """The program, from npm where it is not there yet. Raises where the registry does not give it: no silent skip.

    npm 11 leaves the package's own install step out, so it is run by hand; it puts the native binary in its place.
    """
    folder = Path(sys.prefix) / "claude-code"
    program = folder / "node_modules" / ".bin" / "claude"
    if not program.exists() or VERSION not in _run([str(program), "--version"], cwd=folder):
        folder.mkdir(exist_ok=True)
        options = ["--no-audit", "--no-fund", "--no-package-lock", "--no-save", "--ignore-scripts"]
        _run(["npm", "install", *options, "--prefix", str(folder), PACKAGE], cwd=folder)
        _run(["node", str(folder / "node_modules/@anthropic-ai/claude-code/install.cjs")], cwd=folder)
    return program


def _run(command: list[str], cwd: Path) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=INSTALL_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AssertionError(
            f"Claude Code cannot be installed; this test needs npm and its registry: {error}"
        ) from error
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


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
