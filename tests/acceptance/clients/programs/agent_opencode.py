"""opencode with a provider of its own kind for OpenAI's dialect: a task in which it reads a file."""

import json

from agent import MODE, Project, call
from told import ANSWER, KEY, MODEL, URL, Told

told = Told()
project = Project()


def tools() -> None:
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Bascule",
        "options": {"baseURL": f"{URL}/v1", "apiKey": KEY},
        "models": {MODEL: {"name": MODEL}},
    }
    settings = {"provider": {"bascule": provider}, "autoupdate": False, "share": "disabled"}
    (project.folder / "opencode.json").write_text(json.dumps(settings), encoding="utf-8")
    # On the command line it would put the prompt into quotes.
    written = project.run("run", "--model", f"bascule/{MODEL}", given=call("read", filePath=str(project.note)))
    assert ANSWER in written, written


told.step(MODE, tools)
told.end()
