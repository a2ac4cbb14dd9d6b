"""How a difference between price lists is printed."""

from typing import Any

import click

from bascule.cli.output import print_table

SHOWN = 25


def print_diff(shown: dict[str, Any], *, everything: bool = False) -> None:
    """The changes, widest first, and how many there are of what is no change."""
    changes = [
        (f"{one['provider']}/{one['model']}", change["rate"], change["before_usd"], change["after_usd"], _share(change))
        for one in shown["changed"]
        for change in one["changes"]
    ]
    if changes:
        print_table(("model", "rate", "before", "after", "change"), changes if everything else changes[:SHOWN])
        if len(changes) > SHOWN and not everything:
            click.echo(f"and {len(changes) - SHOWN:,} smaller ones; --all prints them")
        click.echo("")
    tiers = len([one for one in shown["changed"] if one["tiers_differ"]])
    click.echo(
        f"{len(shown['changed']):,} models differ{f', {tiers:,} of them in their tiers' if tiers else ''}; "
        f"{shown['same']:,} are the same, as far as both sides have their prices."
    )
    for key, what in (
        ("only_before", "only before"),
        ("only_after", "only after"),
        ("ambiguous", "names after that mean one model before at other prices, left alone"),
    ):
        if shown[key]:
            click.echo(f"{len(shown[key]):,} {what}: {_some(shown[key])}")
    for key, what in (("providers_only_before", "before"), ("providers_only_after", "after")):
        if shown[key]:
            click.echo(f"Providers only {what}: {_some(shown[key])}")


def _share(change: dict[str, Any]) -> str:
    if change["change"] is None:
        return "from 0"
    share = change["change"]
    return f"{share:+.1%}" if abs(share) < 1 else f"x {share + 1:,.2f}"


def _some(names: list[str], count: int = 5) -> str:
    more = f" and {len(names) - count:,} more" if len(names) > count else ""
    return ", ".join(names[:count]) + more
