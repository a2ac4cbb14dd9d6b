"""Codex, as `bascule run` starts it: a task in which it runs a command."""

from agent import MODE, Project, call
from told import ANSWER, Told

told = Told()
project = Project()


def tools() -> None:
    shown = call("exec_command", cmd=f"cat {project.note.name}")
    written = project.run_by_bascule("exec", "--dangerously-bypass-approvals-and-sandbox", shown)
    assert ANSWER in written, written


told.step(MODE, tools)
told.end()
