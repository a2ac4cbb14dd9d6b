"""`bascule env CLIENT`: the variables that point a client here."""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from bascule.cli.clients import CLIENTS, caveat, shell_function, variables
from bascule.cli.output import config_option, json_option, print_json
from bascule.config.shape import Server
from bascule.model.errors import BasculeError

gateway_options = (
    config_option,
    click.option(
        "--url",
        default=None,
        help="Where the gateway listens; default: server.host and port of -c FILE, else "
        "BASCULE_URL, else those of ./bascule.yaml, else http://127.0.0.1:8787.",
    ),
    click.option("--key", default=None, help="A Bascule key; default: BASCULE_KEY, else 'local' for an open gateway."),
    click.option("--model", default=None, help="The model or route that the client should ask for."),
)


def with_gateway_options(function: click.decorators.FC) -> click.decorators.FC:
    for option in reversed(gateway_options):
        function = option(function)
    return function


def gateway_url(url: str | None, config_path: str | None, environ: Mapping[str, str]) -> str:
    """The gateway's address without a path: what is named comes before what lies about.

    Raises ConfigError where the file is wrong, BasculeError where it gives no address that a client could use.
    """
    named = url or (environ.get("BASCULE_URL") if config_path is None else None)
    return named.rstrip("/") if named else address_of(_server(config_path))


def _server(config_path: str | None) -> Server:
    from bascule.cli.data import read_document
    from bascule.compose import DEFAULT_FILE

    if config_path is None and not DEFAULT_FILE.exists():
        return Server()
    return read_document(config_path).config.server


def address_of(server: Server) -> str:
    """Where a client on this machine reaches a server: one that listens everywhere also listens on loopback."""
    if not server.port:
        raise BasculeError("server.port is 0, so each start takes another; give --url or set BASCULE_URL")
    host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(server.host, server.host)  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{server.port}"


def gateway_key(key: str | None) -> str:
    return key or os.environ.get("BASCULE_KEY") or "local"


def key_caveat(key: str | None, url: str | None, config_path: str | None, environ: Mapping[str, str]) -> str | None:
    """What to do where no key was named and the gateway of the configuration at hand asks for one, or None."""
    if key or environ.get("BASCULE_KEY"):
        return None
    elsewhere = url or environ.get("BASCULE_URL")
    if config_path is None and elsewhere:
        return None  # what lies in this folder need not be that gateway's
    return "keys are configured, so 'local' gets 401: set BASCULE_KEY or give --key" if _has_keys(config_path) else None


def _has_keys(config_path: str | None) -> bool:
    """Whether the file has keys, or `bascule keys create` made some."""
    from bascule.cli.data import has_ledger, open_store, read_document
    from bascule.compose import DEFAULT_FILE

    if config_path is None and not DEFAULT_FILE.exists():
        return False
    document = read_document(config_path)
    if document.config.keys:
        return True
    return has_ledger(document) and bool(open_store(document).governance.keys())


def statusline_settings(config_path: str | None) -> dict[str, Any]:
    """Claude Code's setting (code.claude.com/docs/en/statusline). Paths are absolute: it runs where the user works."""
    from bascule.compose import DEFAULT_FILE

    found = shutil.which("bascule")
    words = [found] if found else [sys.executable, "-m", "bascule"]
    words.append("statusline")
    path = Path(config_path) if config_path else DEFAULT_FILE if DEFAULT_FILE.exists() else None
    if path is not None:
        words += ["-c", str(path.absolute())]
    return {"statusLine": {"type": "command", "command": shlex.join(words), "padding": 0}}


@click.command("env")
@click.argument("client", type=click.Choice(CLIENTS))
@with_gateway_options
@click.option("--statusline", is_flag=True, help="Print the setting that makes Claude Code show costs.")
@json_option
def command(
    client: str,
    config_path: str | None,
    url: str | None,
    key: str | None,
    model: str | None,
    statusline: bool,
    as_json: bool,
) -> None:
    """Print the variables that point CLIENT here, for `eval "$(bascule env claude)"`."""
    if statusline:
        if client != "claude":
            raise click.UsageError("--statusline is for claude: the others have no such line")
        print_json(statusline_settings(config_path))
        return
    base_url = gateway_url(url, config_path, os.environ)
    found = variables(client, base_url=base_url, key=gateway_key(key), model=model)
    missing = key_caveat(key, url, config_path, os.environ)
    if missing is not None:
        click.echo(f"# {missing}", err=True)
    if as_json:
        print_json(found)
        return
    problem = caveat(client, model)
    if problem is not None:
        click.echo(f"# {problem}", err=True)
    for name, value in found.items():
        click.echo(f"export {name}={shlex.quote(value)}")
    function = shell_function(client, base_url=base_url, model=model)
    if function is not None:
        click.echo(function)
