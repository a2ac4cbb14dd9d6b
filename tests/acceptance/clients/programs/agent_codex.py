"""Codex with a provider of its own (it takes no address from the environment): a task in which it runs a command."""

from agent import MODE, Project, call
from told import ANSWER, MODEL, URL, Told

told = Told()
project = Project()


def tools() -> None:
    provider = f'{{name="Bascule", base_url="{URL}/v1", env_key="OPENAI_API_KEY", wire_api="responses"}}'
    settings = (f"model_providers.bascule={provider}", 'model_provider="bascule"', f'model="{MODEL}"')
    options = [word for setting in settings for word in ("-c", setting)]
    shown = call("exec_command", cmd=f"cat {project.note.name}")
    written = project.run("exec", "--dangerously-bypass-approvals-and-sandbox", *options, shown)
    assert ANSWER in written, written


told.step(MODE, tools)
told.end()
