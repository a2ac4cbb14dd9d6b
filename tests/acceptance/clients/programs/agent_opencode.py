"""opencode, as `bascule env opencode` points it: a task in which it reads a file."""

from agent import MODE, Project, call
from told import ANSWER, Told

told = Told()
project = Project()


def tools() -> None:
    # On the command line it would put the prompt into quotes.
    written = project.run("run", given=call("read", filePath=str(project.note)))
    assert ANSWER in written, written


told.step(MODE, tools)
told.end()
