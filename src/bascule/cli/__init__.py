"""The command line. `main` is the entry point; commands are loaded when they are called, so that start-up is short."""

import importlib
import sys
from typing import Any

import click

from bascule import __version__
from bascule.model.errors import BasculeError, ConfigError

COMMANDS = {
    "alerts": "alerts",
    "audit": "audit",
    "backup": "backup",
    "budgets": "budgets",
    "certify": "certify",
    "chaos": "chaos",
    "check": "check",
    "content": "content",
    "contracts": "contracts",
    "demo": "demo",
    "dialects": "dialects",
    "doctor": "doctor",
    "env": "env",
    "estimate": "estimate",
    "eval": "eval",
    "evidence": "evidence",
    "explain": "explain",
    "import": "import_",
    "init": "init",
    "keys": "keys",
    "ledger": "ledger",
    "market": "market",
    "models": "models",
    "outcome": "outcome",
    "outcomes": "outcomes",
    "pr-comment": "pr_comment",
    "price": "price",
    "prices": "prices",
    "report": "report",
    "router": "router",
    "run": "run",
    "selfhost": "selfhost",
    "serve": "serve",
    "sessions": "sessions",
    "statusline": "statusline",
    "switch-check": "switch_check",
    "tco": "tco",
    "trend": "trend",
    "unit": "unit",
    "viable": "viable",
}
"""Command name to module in this package; the module's `command` is it."""


class LazyGroup(click.Group):
    """Commands whose modules are imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module_name = COMMANDS.get(cmd_name)
        if module_name is None:
            return None
        module = importlib.import_module(f"bascule.cli.{module_name}")
        command: click.Command = module.command
        return command


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="bascule")
def group() -> None:
    """One endpoint in front of every model, a true ledger, budgets that hold."""


def main(args: list[str] | None = None) -> Any:
    """Run a command. Exit status: 0 done, 1 could not, 2 wrong use or configuration, 3 a gate failed."""
    try:
        return group.main(args=args, prog_name="bascule", standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        sys.exit(130)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        click.echo(f"bascule: {error.format_message()}", err=True)
        sys.exit(error.exit_code)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(f"{problem.where}: {problem.what}. {problem.remedy}", err=True)
        count = len(error.problems)
        click.echo(f"{count} mistake{'s' if count != 1 else ''} in the configuration", err=True)
        sys.exit(2)
    except BasculeError as error:
        click.echo(f"bascule: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        # The reader of a pipe (`| head`) has what it wanted. Nothing more can be written, not even at exit.
        sys.stderr.close()
        sys.exit(0)
