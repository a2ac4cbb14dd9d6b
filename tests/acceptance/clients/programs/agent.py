"""What all agents have in common: a project with a note in it, and the agent's own command started there."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from told import KEY, MODEL, TASK, URL

COMMAND = os.environ["CLIENT_COMMAND"]
MODE = os.environ["CLIENT_MODE"]
SECRET = TASK["weather"]
"""In the note; what an agent's tool has read must reach the provider."""
AGENT_S = 150


class Project:
    """A folder under version control, as agents expect it, below the home that the harness made."""

    def __init__(self) -> None:
        self.folder = Path.home() / "project"
        self.folder.mkdir()
        self.note = self.folder / "note.txt"
        self.note.write_text(SECRET + "\n", encoding="utf-8")
        git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com")
        for command in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "-m", "A note")):
            subprocess.run((*git, *command), cwd=self.folder, check=True, capture_output=True)

    def run_by_bascule(self, *arguments: str) -> str:
        """The agent as `bascule run` starts it."""
        where = ("--url", URL, "--key", KEY, "--model", MODEL)
        return self._run((sys.executable, "-m", "bascule", "run", *where, "--", COMMAND, *arguments), {}, "")

    def run(self, *arguments: str, env: dict[str, str] | None = None, given: str = "") -> str:
        """What the agent writes; `given` is its standard input. Raises AssertionError where it fails or hangs."""
        return self._run((COMMAND, *arguments), env or {}, given)

    def _run(self, command: tuple[str, ...], env: Mapping[str, str], given: str) -> str:
        try:
            done = subprocess.run(
                command,
                cwd=self.folder,
                env={**os.environ, **env},
                capture_output=True,
                text=True,
                timeout=AGENT_S,
                input=given,
            )
        except subprocess.TimeoutExpired as late:
            raise AssertionError(f"no end after {AGENT_S} s:\n{late.stdout!r}\n{late.stderr!r}") from late
        assert done.returncode == 0, f"exit {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout


def call(name: str, **arguments: object) -> str:
    """A prompt that the model answers with this tool call. Nested in another's arguments it must not be seen there."""
    hidden = json.dumps(arguments).replace("CALL ", "CALL\\u0020")
    return f"CALL {name} {hidden}"
