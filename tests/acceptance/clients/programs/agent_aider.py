"""aider, as `bascule env aider` points it. It has no tools: it edits files by the blocks that the model writes."""

from agent import MODE, Project
from told import TASK, Told, same

NOT_WANTED = ("check-update", "show-model-warnings", "analytics", "gitignore", "show-release-notes")
told = Told()
project = Project()


def edit() -> None:
    quiet = [f"--no-{what}" for what in NOT_WANTED]
    project.run("--yes-always", *quiet, "--edit-format", "whole", "--message", TASK["edit"], project.note.name)
    same(project.note.read_text(encoding="utf-8"), "edited\n")


told.step(MODE, edit)
told.end()
