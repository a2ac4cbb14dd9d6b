"""`bascule import`: what others have recorded, into the ledger's reports. One module per source."""

import importlib

import click

SOURCES = {
    "anthropic-usage": "anthropic_usage",
    "claude-code": "claude_code",
    "codex": "codex",
    "jsonl": "rows",
    "litellm": "litellm",
    "openai-usage": "openai_usage",
    "openrouter-usage": "openrouter_usage",
}
"""Source to module in this package; the module's `command` is it."""


class Sources(click.Group):
    """Sources whose modules are imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(SOURCES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module_name = SOURCES.get(cmd_name)
        if module_name is None:
            return None
        command: click.Command = importlib.import_module(f"bascule.cli.import_.{module_name}").command
        return command


@click.group("import", cls=Sources)
def command() -> None:
    """Read what others have recorded: logs of agents, reports of providers, other gateways, rows of any program.

    Imported rows stand beside the gateway's own in reports and sessions; they touch no budget. Importing again changes
    nothing but what has been added or is known better.
    """
