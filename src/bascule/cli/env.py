"""`bascule env CLIENT`: the variables that point a client here."""

import os
import shlex

import click

from bascule.cli.clients import CLIENTS, caveat, variables
from bascule.cli.output import json_option, print_json

gateway_options = (
    click.option("--url", default="http://127.0.0.1:8787", show_default=True, help="Where the gateway listens."),
    click.option("--key", default=None, help="A Bascule key; default: BASCULE_KEY, else 'local' for an open gateway."),
    click.option("--model", default=None, help="The model or route that the client should ask for."),
)


def with_gateway_options(function: click.decorators.FC) -> click.decorators.FC:
    for option in reversed(gateway_options):
        function = option(function)
    return function


def gateway_key(key: str | None) -> str:
    return key or os.environ.get("BASCULE_KEY") or "local"


@click.command("env")
@click.argument("client", type=click.Choice(CLIENTS))
@with_gateway_options
@json_option
def command(client: str, url: str, key: str | None, model: str | None, as_json: bool) -> None:
    """Print the variables that point CLIENT here, for `eval "$(bascule env claude)"`."""
    found = variables(client, base_url=url.rstrip("/"), key=gateway_key(key), model=model)
    if as_json:
        print_json(found)
        return
    problem = caveat(client)
    if problem is not None:
        click.echo(f"# {problem}", err=True)
    for name, value in found.items():
        click.echo(f"export {name}={shlex.quote(value)}")
