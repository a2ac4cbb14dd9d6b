"""`bascule import claude-code`: the logs that Claude Code keeps in the home folder."""

import os
from pathlib import Path

import click

from bascule.cli.data import read_document
from bascule.cli.import_.options import Asked, import_options
from bascule.cli.import_.running import import_logs, latest_ms
from bascule.model.imported import PLAN_TAG
from bascule.offline.imports.claude_code import ORIGIN, ClaudeReader
from bascule.offline.imports.places import claude_homes


@click.command("claude-code")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--no-titles", is_flag=True, help="Leave out the titles that sessions were given.")
@import_options
def command(path: Path | None, no_titles: bool, asked: Asked) -> None:
    """Calls that Claude Code logged. PATH is a `.claude` folder, one project in it, or one file.

    Without PATH: the home folder's, or what CLAUDE_CONFIG_DIR names. Output that a log understates is estimated from
    the answer's length, and the summary says how much of the bill that is. Prompts and answers are not kept.
    """
    roots = [path] if path is not None else claude_homes(os.environ, Path.home())
    reader = ClaudeReader(titles=not no_titles, latest_ms=latest_ms())
    tally = import_logs(ORIGIN, reader, roots, ("projects",), given=path is not None, asked=asked)
    if tally.rows and not asked.as_json and not _plan_is_told(asked):
        click.echo(
            "A log does not say whether it is of a seat plan; with `contracts: [{provider: anthropic, seats: 1, "
            "usd_per_seat_month: 100, covers: [claude-code]}]` in bascule.yaml reports show what is really paid."
        )


def _plan_is_told(asked: Asked) -> bool:
    """Whether it is known what this use is paid by."""
    contracts = read_document(asked.config_path).config.contracts
    return PLAN_TAG in asked.attribution.tags or any(contract.provider == "anthropic" for contract in contracts)
