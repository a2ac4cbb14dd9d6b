"""`bascule serve`: the gateway."""

import os
from typing import TYPE_CHECKING

import click

from bascule import __version__
from bascule.cli.output import config_option

if TYPE_CHECKING:
    from bascule.link import Snapshot


@click.command("serve")
@config_option
@click.option("--host", default=None, help="Overrides server.host.")
@click.option("--port", type=int, default=None, help="Overrides server.port; 0 takes a free one.")
@click.option("--workers", type=int, default=None, help="Overrides server.workers.")
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True
)
def command(config_path: str | None, host: str | None, port: int | None, workers: int | None, log_level: str) -> None:
    """Serve OpenAI's and Anthropic's APIs in front of the configured providers."""
    from bascule.service import run

    run(
        config_path,
        dict(os.environ),
        host=host,
        port=port,
        workers=workers,
        log_level=log_level,
        announce=announce,
    )


def announce(snapshot: "Snapshot", address: str) -> None:
    """What a person wants to see when it is up; on standard error, since standard output is for data."""
    lines = [f"bascule {__version__} listens on {address}"]
    for name, provider in snapshot.providers.items():
        lines.append(f"  {name}: {provider.origin}{provider.base_path} ({provider.spec.standing})")
    lines += [f"  warning: {found.where}: {found.what}. {found.remedy}" for found in snapshot.warnings]
    click.echo("\n".join(lines), err=True)
