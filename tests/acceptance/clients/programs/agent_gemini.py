"""Gemini CLI, as `bascule env gemini` points it: a task in which it reads a file."""

import json
from pathlib import Path

from agent import MODE, Project, call
from told import ANSWER, Told

told = Told()
project = Project()


def tools() -> None:
    """An address in its environment makes 0.61.0 choose a way to sign in that it then refuses, so that is set."""
    settings = Path.home() / ".gemini" / "settings.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"security": {"auth": {"selectedType": "gemini-api-key"}}}), encoding="utf-8")
    shown = call("read_file", file_path=str(project.note))
    written = project.run("--skip-trust", "--approval-mode", "yolo", "--prompt", shown)
    assert ANSWER in written, written


told.step(MODE, tools)
told.end()
