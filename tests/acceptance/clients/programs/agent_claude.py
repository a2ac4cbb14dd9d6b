"""Claude Code, as `bascule env claude` points it: a plain task, a tool, an agent of its own, and at a terminal."""

import json
import os

from agent import MODE, Project, call
from told import ANSWER, MODEL, QUESTION, Told, same

QUIET = {
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
}
MODEL_VARIABLES = (
    "ANTHROPIC_MODEL",
    "ANTHROPIC_DEFAULT_OPUS_MODEL",
    "ANTHROPIC_DEFAULT_SONNET_MODEL",
    "ANTHROPIC_DEFAULT_HAIKU_MODEL",
)
told = Told()
project = Project()


def ask(prompt: str, tools: str) -> None:
    """A whole run; all models that Claude Code could ask for by itself are led to the one."""
    same({os.environ[name] for name in MODEL_VARIABLES}, {MODEL})
    written = project.run("-p", prompt, "--allowedTools", tools, "--output-format", "json", env=QUIET)
    result = json.loads(written)
    same((result["is_error"], result["result"]), (False, ANSWER))


def plain() -> None:
    ask(QUESTION, "Read")


def tools() -> None:
    ask(call("Read", file_path=str(project.note)), "Read")


def subagent() -> None:
    """`Explore` asks for a Haiku model by its own name."""
    for kind in ("general-purpose", "Explore"):
        task = call("Read", file_path=str(project.note))
        ask(call("Agent", description="Read it", prompt=task, subagent_type=kind), "Read,Agent")


def interactive() -> None:
    """As a user types it, and reads it from the screen."""
    from terminal import Terminal

    trusted = {str(project.folder): {"hasTrustDialogAccepted": True}}
    settings = {"hasCompletedOnboarding": True, "theme": "dark", "projects": trusted}
    (project.folder.parent / ".claude.json").write_text(json.dumps(settings), encoding="utf-8")
    with Terminal(project.folder, ("--allowedTools", "Read"), QUIET) as terminal:
        terminal.wait_for("? for shortcuts")
        terminal.type(call("Read", file_path=str(project.note)))
        terminal.wait_for(ANSWER)
        terminal.type("/context")  # counts what each part takes, in a burst of requests
        terminal.wait_for("System tools")


told.step(MODE, {"plain": plain, "tools": tools, "subagent": subagent, "interactive": interactive}[MODE])
told.end()
