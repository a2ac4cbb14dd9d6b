"""`bascule demo`: the gateway on simulated providers, traffic through the real SDKs, and what its ledger says of it."""

import asyncio
import signal
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bascule.cli.output import json_option, print_json
from bascule.model.errors import BasculeError

if TYPE_CHECKING:
    from bascule.cli.demonstration.processes import Process
    from bascule.cli.demonstration.story import Story
    from bascule.cli.demonstration.traffic import Sent
    from bascule.cli.demonstration.workspace import Workspace

CONCURRENCY = 8
SEED = 2026


@click.command("demo")
@click.option("--once", is_flag=True, help="End after the report instead of going on to serve.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=0, help="Where the gateway listens; 0 takes a free one."
)
@click.option("--seed", type=int, default=SEED, show_default=True, help="Of the made-up traffic.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Keep configuration and ledger there, a new or empty folder. Without it they go when the demo ends.",
)
@json_option
def command(once: bool, port: int, seed: int, folder: Path | None, as_json: bool) -> None:
    """Run the gateway on simulated providers, send it traffic, and show what its ledger says. Needs no key.

    The gateway, the SDKs, the ledger and the list prices are real; the providers and their answers are scripted.
    """
    versions = _sdk_versions()
    from bascule.cli.demonstration.processes import gateway, simulated_providers
    from bascule.cli.demonstration.workspace import workspace

    with workspace(folder) as place:
        _end_in_order()
        place.prepare()
        with simulated_providers(place.simulation, seed) as providers:
            place.configure(int(providers.address))
            with gateway(place.config, port) as served:
                if not as_json:
                    _introduce(served.address, place, versions)
                started_s = time.monotonic()
                sent = _send(served.address, place, seed)
                took_s = time.monotonic() - started_s
                _refuse_unanswered(sent, served.log_tail())
                story = _story(place, sent, int(providers.address))
                facts = {"gateway": served.address, "config": str(place.config), "seed": seed, "sdks": versions}
                _show(story, sent, took_s, facts, as_json=as_json)
                _refuse_untrue(story)
                if not once:
                    _serve_on(served, place)


def _end_in_order() -> None:
    """A closed terminal or a stopped container ends the two processes as Ctrl-C does; nohup's wish is respected."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


def _sdk_versions() -> dict[str, str]:
    try:
        from bascule.cli.demonstration.traffic import SDK_VERSIONS
    except ModuleNotFoundError as error:
        if error.name not in ("openai", "anthropic"):
            raise
        raise click.ClickException(
            f"the demo sends its traffic through the real SDKs, and {error.name!r} is not installed: "
            "pip install 'bascule[demo]'"
        ) from None
    return SDK_VERSIONS


def _introduce(address: str, place: "Workspace", versions: dict[str, str]) -> None:
    click.secho("bascule demo: a real gateway before simulated providers", bold=True)
    sdks = " and ".join([f"{name} {version}" for name, version in versions.items()])
    click.echo(
        f"  gateway    {address}  (bascule serve -c {place.config})\n"
        f"  providers  simulated on loopback; their answers were written for this demo\n"
        f"  prices     real: the list prices of the models' names, from the price book\n"
        f"  traffic    made up; sent through {sdks}"
    )


def _send(address: str, place: "Workspace", seed: int) -> "list[Sent]":
    """All of the traffic, by as many clients as there are at once."""
    from bascule.cli.demonstration.bar import bar
    from bascule.cli.demonstration.scenario import conversations
    from bascule.cli.demonstration.traffic import Sent, send

    planned = conversations(seed)
    sent: list[Sent] = []
    with bar("sending requests", sum(conversation.requests for conversation in planned)) as advance:

        def told(one: Sent) -> None:
            sent.append(one)
            advance()

        asyncio.run(send(planned, address, place.secrets(), concurrency=CONCURRENCY, told=told))
    return sent


def _story(place: "Workspace", sent: "list[Sent]", simulation_port: int) -> "Story":
    from bascule.cli.demonstration.story import read_story

    refused = [one.request_id for one in sent if one.status == 402 and one.request_id is not None]
    return read_story(str(place.config), refused, simulation_port)


def _show(story: "Story", sent: "list[Sent]", took_s: float, facts: dict[str, Any], *, as_json: bool) -> None:
    statuses = Counter("none" if one.status is None else str(one.status) for one in sent)
    if as_json:
        from bascule.cli.demonstration.document import story_document

        clients = {"requests": len(sent), "statuses": dict(sorted(statuses.items())), "seconds": round(took_s, 3)}
        print_json({**facts, "clients": clients, **story_document(story)})
        return
    from bascule.cli.demonstration.telling import tell

    told = ", ".join([f"{count} got {status}" for status, count in sorted(statuses.items())])
    keys = len({one.key for one in sent})
    click.echo(f"  sent       {len(sent)} requests with {keys} keys in {took_s:.1f} s; {told}")
    tell(story)


def _refuse_unanswered(sent: "list[Sent]", log: str) -> None:
    """Every request is answered or over its budget; anything else is a fault of the gateway or of this machine."""
    wrong = [one for one in sent if one.status not in (200, 402)]
    if wrong:
        count = f"{len(wrong)} of {len(sent)} requests got neither an answer nor a 402"
        raise BasculeError(f"{count}: {wrong[0].error}\nThe gateway's log ends so:\n{log}")


def _refuse_untrue(story: "Story") -> None:
    """A demo whose own books do not add up has failed."""
    wrong = [f"{found.where}: {found.what}" for found in story.verdict.findings]
    if not story.counted.agrees:
        counted = story.counted
        wrong.append(
            f"the ledger has {counted.attempts} attempts, the simulated providers counted {counted.exchanges}; "
            f"{len(counted.differing)} differ in tokens, e.g. {', '.join(counted.differing[:3]) or 'none'}"
        )
    if story.budget.settled_nanousd + story.budget.held_nanousd > story.budget.limit_nanousd:
        wrong.append(f"the budget was exceeded: {story.budget}")
    if wrong:
        raise BasculeError("\n".join(["the demo's books do not hold", *wrong]))


def _serve_on(served: "Process", place: "Workspace") -> None:
    """Until Ctrl-C, or the gateway's own end, which is an error."""
    from bascule.cli.demonstration.hints import agent_logs, commands

    click.secho(f"\nThe gateway goes on at {served.address}. From another terminal:", bold=True, err=True)
    for line in commands(served.address, place):
        click.echo(f"  {line}", err=True)
    logs = agent_logs(Path.home())
    if logs:
        names = " and ".join([f"`bascule import {name}`" for name in logs])
        click.echo(
            f"You have agents' logs in your home folder: from the next release {names} will price them.", err=True
        )
    click.echo("Ctrl-C ends it.", err=True)
    try:
        status = served.wait()
    except KeyboardInterrupt:
        click.echo("\nStopping.", err=True)
        return
    raise BasculeError(f"the gateway ended by itself with status {status}")
