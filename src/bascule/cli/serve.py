"""`bascule serve`: the gateway."""

import logging
import os
from typing import TYPE_CHECKING, Any

import click

from bascule import __version__
from bascule.cli.output import config_option

if TYPE_CHECKING:
    from bascule.link import Snapshot

log = logging.getLogger("bascule.serve")


@click.command("serve")
@config_option
@click.option("--host", default=None, help="Overrides server.host.")
@click.option("--port", type=int, default=None, help="Overrides server.port; 0 takes a free one.")
@click.option("--workers", type=int, default=None, help="Overrides server.workers.")
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True
)
def command(config_path: str | None, host: str | None, port: int | None, workers: int | None, log_level: str) -> None:
    """Serve OpenAI's (Chat and Responses), Anthropic's and Gemini's APIs in front of the configured providers.

    The log goes to standard error: plain lines on a terminal, else one JSON object a line. Where it listens is logged
    at every level.
    """
    from bascule.processes import run

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
    """What one wants to see when it is up, whatever the log's level: lines of the log, in the log's form."""
    providers = {
        name: f"{provider.origin}{provider.base_path} ({provider.spec.standing})"
        for name, provider in snapshot.providers.items()
    }
    _say(logging.INFO, f"bascule {__version__} listens on {address}", {"address": address, "providers": providers})
    for found in snapshot.warnings:
        _say(logging.WARNING, f"{found.where}: {found.what}. {found.remedy}", {})


def _say(level: int, message: str, fields: dict[str, Any]) -> None:
    record = log.makeRecord(log.name, level, __file__, 0, message, (), None, extra=fields)
    log.handle(record)
