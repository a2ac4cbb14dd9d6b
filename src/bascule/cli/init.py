"""`bascule init`: a first bascule.yaml from what the environment has."""

import os
import sys
from pathlib import Path

import click

from bascule.config.starter import starter_text
from bascule.model.errors import BasculeError
from bascule.providers.discover import discover


@click.command("init")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option(
    "--out", "out_path", type=click.Path(dir_okay=False, path_type=Path), default=Path("bascule.yaml"),
    show_default=True, help="Where to write it.",
)  # fmt: skip
@click.option("--print", "printed", is_flag=True, help="Print it instead.")
def command(force: bool, out_path: Path, printed: bool) -> None:
    """Write a first bascule.yaml with the providers whose keys stand in the environment. It holds no secret."""
    from bascule.compose import installed_presets

    found = discover(os.environ, installed_presets().all())
    text = starter_text(found)
    if printed:
        sys.stdout.write(text)
        return
    try:
        with out_path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise BasculeError(f"{out_path} is there already; --force writes over it, --out writes elsewhere") from None
    except OSError as error:
        raise BasculeError(f"{out_path} cannot be written: {error.strerror}") from error
    click.echo(f"{out_path}: {', '.join([item.name for item in found]) or 'no provider key found, set up for Ollama'}")
    click.echo(f"next: bascule check -c {out_path} && bascule serve -c {out_path}")
