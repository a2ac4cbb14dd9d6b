"""`bascule import codex`: the session logs that Codex keeps in the home folder."""

import os
from pathlib import Path

import click

from bascule.cli.import_.options import Asked, import_options
from bascule.cli.import_.running import import_logs, latest_ms
from bascule.offline.imports.codex import ORIGIN, CodexReader
from bascule.offline.imports.places import codex_homes


@click.command("codex")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@import_options
def command(path: Path | None, asked: Asked) -> None:
    """Calls that Codex logged. PATH is a `.codex` folder, a folder of rollouts, or one file.

    Without PATH: the home folder's, or what CODEX_HOME names. Prompts and answers are not kept.
    """
    roots = [path] if path is not None else codex_homes(os.environ, Path.home())
    inside = ("sessions", "archived_sessions")
    import_logs(ORIGIN, CodexReader(latest_ms=latest_ms()), roots, inside, given=path is not None, asked=asked)
