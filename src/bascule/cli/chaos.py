"""`bascule chaos`: harm done to a gateway on this machine, and what its ledger and its clients say of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bascule.cli.output import config_option, json_option, print_json, print_table

if TYPE_CHECKING:
    from bascule.testing.chaos.attack import Attacked, Wish

SEED = 2026
REQUESTS = 300
WIDTH = 98


@click.command("chaos")
@config_option
@click.option(
    "--scenario", "names", multiple=True, metavar="NAME", help="One of --list; may be repeated. Without: all."
)
@click.option("--list", "as_list", is_flag=True, help="List the scenarios and end.")
@click.option("--seed", type=int, default=SEED, show_default=True, help="Of traffic and faults.")
@click.option("--requests", type=click.IntRange(20, 100_000), default=REQUESTS, show_default=True, help="A scenario.")
@click.option("--sample", is_flag=True, help="Attack a sample configuration, although there is a bascule.yaml.")
@click.option(
    "--against", multiple=True, metavar="URL", help="A gateway that runs on loopback with -c; repeat it for replicas."
)
@click.option(
    "--upstream-port", type=click.IntRange(1, 65_535), default=None, help="Where --against expects providers."
)
@click.option("--key-env", metavar="NAME", default=None, help="The variable with a key that --against lets in.")
@json_option
def command(
    config_path: str | None,
    names: tuple[str, ...],
    as_list: bool,
    seed: int,
    requests: int,
    sample: bool,
    against: tuple[str, ...],
    upstream_port: int | None,
    key_env: str | None,
    as_json: bool,
) -> None:
    """Attack a gateway on your configuration with failing providers and leaving clients, and check its promises.

    A copy of the configuration is served in a folder of its own, every provider in it replaced by a scripted one on
    loopback; prices, routes, keys and budgets are yours. Without a configuration a sample is attacked. No real
    provider is ever asked, and your ledger is not touched.

    With --against it is gateways of yours that are attacked: point every `base_url` of their configuration at
    http://127.0.0.1:PORT first, PORT being --upstream-port.

    Exit status 3 where a promise failed.
    """
    from bascule.testing.chaos.scenarios import SCENARIOS

    if as_list:
        _list(as_json)
        return
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        raise click.UsageError(f"no scenario {unknown[0]!r}; there are {', '.join(SCENARIOS)}")
    chosen = names or tuple([name for name, found in SCENARIOS.items() if not (against and found.owns)])
    wish = _wish(config_path, seed, requests, sample, against, upstream_port, key_env)
    attacked = [_attack(name, wish) for name in chosen]
    if as_json:
        print_json(_document(attacked, wish))
    else:
        _tell(attacked, wish)
    if not all(one.passed for one in attacked):
        raise click.exceptions.Exit(3)


def _wish(
    config_path: str | None,
    seed: int,
    requests: int,
    sample: bool,
    against: tuple[str, ...],
    upstream_port: int | None,
    key_env: str | None,
) -> "Wish":
    import os

    from bascule import compose
    from bascule.testing.chaos.attack import Wish

    if against and upstream_port is None:
        raise click.UsageError("--against needs --upstream-port: the port at which its configuration has its providers")
    if (upstream_port or key_env) and not against:
        raise click.UsageError("--upstream-port and --key-env belong to --against")
    if sample and (config_path or against):
        raise click.UsageError("--sample attacks no configuration of yours, so it goes with neither -c nor --against")
    if key_env is not None and key_env not in os.environ:
        raise click.UsageError(f"the variable {key_env} is not set")
    config = None if sample else Path(config_path) if config_path else compose.DEFAULT_FILE
    if config is not None and config_path is None and not config.exists():
        config = None
    return Wish(
        config=config,
        seed=seed,
        requests=requests,
        against=against,
        port=upstream_port or 0,
        key=None if key_env is None else os.environ[key_env],
    )


def _attack(name: str, wish: "Wish") -> "Attacked":
    from bascule.cli.demonstration.bar import bar
    from bascule.testing.chaos.attack import attack
    from bascule.testing.chaos.scenarios import SCENARIOS

    with bar(name, wish.requests) as advance:
        return attack(SCENARIOS[name], wish, advance)


def _list(as_json: bool) -> None:
    from bascule.testing.chaos.scenarios import SCENARIOS

    if as_json:
        print_json([{"scenario": one.name, "does": one.does, "owns_gateway": one.owns} for one in SCENARIOS.values()])
        return
    print_table(("scenario", "does"), [(one.name, one.does) for one in SCENARIOS.values()])


def _document(attacked: "list[Attacked]", wish: "Wish") -> dict[str, Any]:
    return {
        "seed": wish.seed,
        "config": None if wish.config is None else str(wish.config),
        "passed": all(one.passed for one in attacked),
        "scenarios": [
            {
                "scenario": one.scenario,
                "passed": one.passed,
                "requests": one.requests,
                "exchanges": one.exchanges,
                "checks": [
                    {
                        "promise": check.promise,
                        "figure": check.figure,
                        "limit": check.limit,
                        "passed": check.passed,
                        "details": list(check.details),
                    }
                    for check in one.checks
                ],
            }
            for one in attacked
        ],
        "left_out": sorted({name for one in attacked for name in one.left_out}),
    }


def _tell(attacked: "list[Attacked]", wish: "Wish") -> None:
    what = "a sample configuration" if wish.config is None else str(wish.config)
    lines = [
        (one.scenario, check.promise, check.figure, check.limit, "holds" if check.passed else "FAILS")
        for one in attacked
        for check in one.checks
    ]
    print_table(("scenario", "what was looked for", "found", "holds if", ""), lines, title=f"{what}, seed {wish.seed}")
    left_out = sorted({name for one in attacked for name in one.left_out})
    if left_out:
        click.echo(click.wrap_text(f"Not in the copy that was attacked: {', '.join(left_out)}.", WIDTH))
    for one in attacked:
        for check in one.checks:
            for detail in () if check.passed else check.details:
                click.echo(f"  {one.scenario}: {detail}", err=True)
    failed = sum(not one.passed for one in attacked)
    sent, reached = sum(one.requests for one in attacked), sum(one.exchanges for one in attacked)
    verdict = f"{failed} of {len(attacked)} scenarios failed" if failed else f"all of {len(attacked)} scenarios hold"
    click.secho(f"{sent} requests, {reached} exchanges with the upstream: {verdict}", bold=True)
