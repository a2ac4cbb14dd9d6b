"""Codex, the real one: installed once beside the virtual environment, run in an empty home."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VERSION = "0.169.0"
PACKAGE = f"@openai/codex@{VERSION}"
INSTALL_S = 300
RUN_S = 90


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A whole run of `codex exec --json`."""

    events: list[dict[str, Any]]

    def items(self, kind: str) -> list[dict[str, Any]]:
        """What was completed, of one kind: `agent_message`, `command_execution`, `reasoning`, …"""
        done = [event["item"] for event in self.events if event["type"] == "item.completed"]
        return [item for item in done if item["type"] == kind]


def installed() -> Path:
    """The program, from npm where it is not there yet. Raises where the registry does not give it: no silent skip.

    Its binary is a package of its own, so that no install step has to run.
    """
    folder = Path(sys.prefix) / "codex"
    program = folder / "node_modules" / ".bin" / "codex"
    if not program.exists() or VERSION not in _run([str(program), "--version"], cwd=folder):
        folder.mkdir(exist_ok=True)
        options = ["--no-audit", "--no-fund", "--no-package-lock", "--no-save", "--ignore-scripts"]
        _run(["npm", "install", *options, "--prefix", str(folder), PACKAGE], cwd=folder)
    return program


def _run(command: list[str], cwd: Path) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=INSTALL_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AssertionError(f"Codex cannot be installed; this test needs npm and its registry: {error}") from error
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def ask(prompt: str, *, url: str, model: str, project: Path, home: Path) -> Ran:
    """One task without anybody watching, in a project of its own. Ends by itself, or the test fails."""
    folder = home / ".codex"
    folder.mkdir(exist_ok=True)
    provider = f'{{name="Bascule",base_url="{url}/v1",env_key="GATEWAY_KEY",wire_api="responses"}}'
    settings = ["-c", f"model_providers.bascule={provider}", "-c", "model_provider=bascule", "-m", model]
    unwatched = ["--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "--json"]
    done = subprocess.run(
        [str(installed()), "exec", *unwatched, *settings, prompt],
        capture_output=True,
        text=True,
        cwd=project,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "CODEX_HOME": str(folder), "GATEWAY_KEY": "any"},
        timeout=RUN_S,
        stdin=subprocess.DEVNULL,
    )
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert done.returncode == 0, f"codex ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return Ran(events=events)
