"""`bascule dialects matrix`: what is kept of a request and of its answer between two dialects."""

import click
import msgspec

from bascule.cli.output import json_option, print_json, print_table
from bascule.dialects.matrix import shipped_matrix
from bascule.model.errors import BasculeError
from bascule.offline.matrix_page import SIGNS, client_rows, legend, short_name


@click.group("dialects")
def command() -> None:
    """Wire formats that clients and providers may speak."""


@command.command("matrix")
@click.option("--client", default=None, help="Only clients of this dialect, e.g. openai_responses.")
@click.option("--provider", default=None, help="Only providers of this dialect.")
@json_option
def matrix(client: str | None, provider: str | None, as_json: bool) -> None:
    """What each pair of client and provider keeps, feature by feature.

    Measured by this release's tests: every feature was asked for in the client's words, sent to a scripted provider
    and answered, whole and streamed. Between equals bytes pass through, so that all is kept that the provider takes.
    """
    found = shipped_matrix()
    cells = [cell for cell in found.cells if client in (None, cell.client) and provider in (None, cell.provider)]
    if not cells:
        known = ", ".join(sorted({name for cell in found.cells for name in (cell.client, cell.provider)}))
        raise BasculeError(f"no such pair of dialects; known are {known}")
    if as_json:
        print_json([msgspec.to_builtins(cell) for cell in cells])
        return
    for name in dict.fromkeys(cell.client for cell in cells):
        own = [cell for cell in cells if cell.client == name]
        columns = (f"from {name}", *[f"to {short_name(cell.provider)}" for cell in own])
        print_table(columns, client_rows(found, own, SIGNS))
        click.echo()
    click.echo(legend(SIGNS))
