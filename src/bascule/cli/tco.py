"""`bascule tco`: total cost of ownership, of which tokens are one of nine heads."""

import sys
from collections.abc import Sequence
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any

import click

from bascule.cli.amounts import figure, percent
from bascule.cli.output import json_option, print_json, print_table
from bascule.config.suggest import remedy
from bascule.offline.plan import read_text
from bascule.offline.quantity import rounded
from bascule.offline.tco import (
    CASES,
    HEADS,
    Choice,
    Tco,
    cheapest,
    choice_tornado,
    decisive,
    head_usd,
    token_share,
    total_usd,
)
from bascule.offline.tco_file import read_tco
from bascule.offline.tco_payload import certain, tco_payload, unsourced
from bascule.offline.tornado import base_values

EXAMPLE = "tco_example.yaml"
MOST_BARS = 8
BAR_WIDTH = 20


@click.command("tco")
@click.option(
    "--from", "source", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path), metavar="F",
    help="Assumptions in YAML; without it the shipped example, whose figures are nobody's.",
)  # fmt: skip
@click.option("--compare", default=None, metavar="A,B,…", help="These options side by side.")
@click.option("--option", "only", default=None, metavar="NAME", help="One option in detail.")
@click.option("--example", is_flag=True, help="Print the example file, to start one's own from.")
@json_option
def command(source: Path | None, compare: str | None, only: str | None, example: bool, as_json: bool) -> None:
    """Total cost of ownership by head and year, the share of tokens in it, and what it hangs on.

    Heads: tokens, redundancy and reliability, orchestration and platform, security and compliance, integration and
    customisation, people, oversight and review, data governance, switching.
    """
    text = files("bascule.cli").joinpath(EXAMPLE).read_text(encoding="utf-8") if source is None else _text(source)
    if example:
        if source is not None:
            raise click.UsageError("--example prints the shipped file; leave out --from")
        sys.stdout.write(text)
        return
    if compare is not None and only is not None:
        raise click.UsageError("give either --compare or --option")
    tco = read_tco(text, EXAMPLE if source is None else str(source))
    chosen = _chosen(tco, compare, only)
    if as_json:
        print_json({**tco_payload(tco, chosen), "example": source is None})
        return
    if source is None:
        click.echo(
            "The shipped example: nobody's figures. `bascule tco --example > assumptions.yaml`, change them, then"
        )
        click.echo("`bascule tco --from assumptions.yaml`.\n")
    if len(chosen) > 1:
        _side_by_side(tco, chosen)
    else:
        _detail(tco, chosen[0])
    missing = unsourced(tco.assumptions)
    if missing:
        click.echo(f"\n{len(missing)} of {len(tco.assumptions)} assumptions have no source.")


def _text(source: Path) -> str:
    return sys.stdin.read() if str(source) == "-" else read_text(source)


def _chosen(tco: Tco, compare: str | None, only: str | None) -> list[Choice]:
    names = [one.name for one in tco.choices]
    wanted = (
        names if compare is None and only is None else [name.strip() for name in (compare or only or "").split(",")]
    )
    chosen = []
    for name in dict.fromkeys(wanted):
        found = tco.choice(name)
        if found is None:
            hint = "--compare" if only is None else "--option"
            raise click.BadParameter(f"there is no option {name!r}. {remedy(name, names, 'option')}", param_hint=hint)
        chosen.append(found)
    return chosen


def _detail(tco: Tco, choice: Choice) -> None:
    base = base_values(tco.assumptions)
    years = range(1, tco.years + 1)
    rows: list[Sequence[Any]] = []
    for head, title in HEADS.items():
        if head in choice.missing_heads:
            rows.append((title, *[None] * (tco.years + 1), "not assumed", None))
            continue
        low, middle, high = [head_usd(choice, head, years, tco.values(case)) for case in CASES]
        by_year = [whole(head_usd(choice, head, [year], base)) for year in years]
        total = total_usd(choice, tco.years, base)
        rows.append((title, *by_year, whole(middle), _range(low, high), percent(middle / total) if total else None))
    low, middle, high = [total_usd(choice, tco.years, tco.values(case)) for case in CASES]
    by_year = [whole(sum([head_usd(choice, head, [year], base) for head in HEADS], Fraction(0))) for year in years]
    rows.append(("total", *by_year, whole(middle), _range(low, high), None))
    columns = ("head", *[f"year {year}" for year in years], "total", "from low to high", "share")
    print_table(columns, rows, title=choice.title, optional=[f"year {year}" for year in years])
    share = token_share(tco, choice, "base")
    click.echo(
        "The share of tokens is not known: nothing is assumed about them."
        if share is None
        else f"Tokens are {percent(share)} of the total."
    )
    if choice.missing_heads:
        click.echo(f"Not in the total, for want of an assumption: {_listed(choice.missing_heads)}.")
    _tornado(tco, choice)


def _tornado(tco: Tco, choice: Choice) -> None:
    bars = choice_tornado(tco, choice)
    if not bars:
        return
    click.echo()
    print_table(
        ("moves the total most", "low", "high", "total at low", "total at high", "swing", "of the widest"),
        [
            (
                bar.assumption.name,
                figure(bar.assumption.low),
                figure(bar.assumption.high),
                whole(bar.at_low),
                whole(bar.at_high),
                whole(bar.swing),
                "█" * int(bar.swing * BAR_WIDTH / bars[0].swing) if bars[0].swing else "",
            )
            for bar in bars[:MOST_BARS]
        ],
        optional=("of the widest", "low", "high"),
    )
    if len(bars) > MOST_BARS:
        click.echo(f"{len(bars) - MOST_BARS} more move it less; --json has all.")


def _side_by_side(tco: Tco, choices: Sequence[Choice]) -> None:
    base = base_values(tco.assumptions)
    years = range(1, tco.years + 1)
    rows: list[Sequence[Any]] = [
        (
            title,
            *[None if head in one.missing_heads else whole(head_usd(one, head, years, base)) for one in choices],
        )
        for head, title in HEADS.items()
    ]
    rows.append((f"total of {tco.years} years", *[whole(total_usd(one, tco.years, base)) for one in choices]))
    rows += [
        (f"… at its {case}", *[whole(total_usd(one, tco.years, tco.values(case))) for one in choices])
        for case in CASES
        if case != "base"
    ]
    rows.append(("share of tokens", *[percent(token_share(tco, one, "base")) for one in choices]))
    print_table(("head", *[one.name for one in choices]), rows)
    for one in choices:
        said = f"{one.name}: {one.title}." if one.title != one.name else ""
        if one.missing_heads:
            said += f" Nothing is assumed about {_listed(one.missing_heads)}, so {one.name}'s total lacks that."
        if said:
            click.echo(said.strip())
    first = cheapest(tco, choices, base)
    sure = "at every assumption" if certain(tco, choices) else "but the ranges overlap"
    click.echo(f"\nCheapest at base: {first}, {sure}.")
    for found in decisive(tco, choices):
        click.echo(
            f"It hangs on {found.assumption.name}: at {figure(found.assumption.low)} {found.at_low} is cheapest, "
            f"at {figure(found.assumption.high)} {found.at_high}."
        )


def _listed(heads: Sequence[str]) -> str:
    return ", ".join([HEADS[head] for head in heads])


def _range(low: Fraction, high: Fraction) -> str:
    return f"{whole(low)}" if low == high else f"{whole(low)} to {whole(high)}"


def whole(usd: Fraction) -> str:
    """Whole dollars: nobody assumes cents."""
    return f"{'-' if usd < 0 else ''}${rounded(abs(usd), 0):,}"
