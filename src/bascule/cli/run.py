"""`bascule run -- CMD…`: a command with every client variable set, one session and its tags on all it does."""

import os
import uuid
from collections.abc import Mapping

import click

from bascule.cli.clients import CLIENTS, started, variables
from bascule.cli.env import gateway_key, gateway_url, key_caveat, with_gateway_options


def headers_of(session: str, tags: tuple[str, ...]) -> dict[str, str]:
    """What says on a request to which session it belongs, and its tags."""
    return {"x-bascule-session": session, **({"x-bascule-tag": ",".join(tags)} if tags else {})}


def environment(
    base: dict[str, str], *, url: str, key: str, model: str | None, session: str, headers: Mapping[str, str]
) -> dict[str, str]:
    """`base` with the variables of all clients; `headers` go where a client lets us add some."""
    env = dict(base)
    for client in CLIENTS:
        env.update(variables(client, base_url=url, key=key, model=model, headers=headers))
    env.pop("ANTHROPIC_API_KEY", None)  # Claude Code takes the token; both at once make it ask which one to use
    earlier = base.get("ANTHROPIC_CUSTOM_HEADERS")
    if earlier:
        env["ANTHROPIC_CUSTOM_HEADERS"] = f"{earlier}\n{env['ANTHROPIC_CUSTOM_HEADERS']}"
    env["BASCULE_SESSION"] = session
    env["BASCULE_URL"] = url
    return env


# What stands behind the command's name is its own: `bascule run claude -c` continues Claude's last session.
@click.command("run", context_settings={"allow_interspersed_args": False})
@click.option("--session", default=None, help="The session's id; default: a new one.")
@click.option("--tag", "tags", multiple=True, metavar="K=V", help="A tag on every request; repeatable.")
@with_gateway_options
@click.argument("arguments", nargs=-1, required=True, type=click.UNPROCESSED)
def command(
    session: str | None,
    tags: tuple[str, ...],
    config_path: str | None,
    url: str | None,
    key: str | None,
    model: str | None,
    arguments: tuple[str, ...],
) -> None:
    """Run a command with its model calls going through the gateway.

    Session and tags reach clients that can send extra headers (Claude Code, Codex, Gemini CLI, and opencode with
    --model); others are attributed by their key. Codex is also given its settings, since it takes no address from a
    variable.
    """
    if session is not None and not session.isprintable():
        raise click.BadParameter(f"{session!r} cannot be sent as a header's value", param_hint="--session")
    for tag in tags:
        if not tag.isprintable():
            raise click.BadParameter(f"{tag!r} cannot be sent as a header's value", param_hint="--tag")
        if "=" not in tag:
            raise click.BadParameter(f"{tag!r} is not of the form name=value", param_hint="--tag")
    session = session or f"run-{uuid.uuid4().hex[:12]}"
    base_url, headers = gateway_url(url, config_path, os.environ), headers_of(session, tags)
    env = environment(
        dict(os.environ), url=base_url, key=gateway_key(key), model=model, session=session, headers=headers
    )
    missing = key_caveat(key, url, config_path, os.environ)
    if missing is not None:
        click.echo(f"bascule: {missing}", err=True)
    words = started(arguments, base_url=base_url, model=model, headers=headers)
    try:
        os.execvpe(words[0], list(words), env)  # noqa: S606 running the user's own command is the purpose
    except FileNotFoundError:
        raise click.ClickException(f"{arguments[0]!r} is not on the PATH") from None
