"""A bridge between two bills on a terminal: a waterfall of bars, and what moved."""

from collections.abc import Sequence
from typing import Any

import click

from bascule.cli.output import print_table
from bascule.offline.bridge import Bridge
from bascule.offline.bridge_payload import METHOD, in_cents

WIDTH = 36
"""Columns of the waterfall."""


def words_of(cause: str) -> str:
    return cause.replace("_", " ")


def print_bridge(found: Bridge, before: str, after: str) -> None:
    """`before` and `after` as the user named the periods."""
    first, parts, last = in_cents(found)
    bars = waterfall([first, *parts, last])
    rows: list[list[Any]] = [[before, _usd(first), None, None, None, bars[0]]]
    for part, cents, bar in zip(found.parts, parts, bars[1:-1], strict=True):
        share = f"{100 * cents / (last - first):.1f}%" if cents and last != first else None
        rows.append([words_of(part.cause), _signed(cents), share, _factor(part.before), _factor(part.after), bar])
    rows.append([after, _usd(last), None, None, None, bars[-1]])
    print_table(
        ["", "usd", "of change", "before", "after", "waterfall"], rows, optional=("of change", "before", "after")
    )
    click.echo(f"Change {_signed(last - first)} usd. {METHOD}.")
    for name, side in ((before, found.before), (after, found.after)):
        if side.unknown:
            click.echo(f"{side.unknown} attempts of {name} have an unknown cost: neither bill nor bridge has them.")


def waterfall(steps: Sequence[int]) -> list[str]:
    """One bar a step: the first and last from zero, the others from where the last one ended."""
    edges = [0, steps[0]]
    for step in steps[1:-1]:
        edges.append(edges[-1] + step)
    low, high = min(edges), max(edges)
    scale = WIDTH / (high - low) if high > low else 0

    def bar(one: int, other: int, mark: str) -> str:
        start, end = sorted((round((one - low) * scale), round((other - low) * scale)))
        return " " * start + mark * max(end - start, 1)

    bars = [bar(0, steps[0], "█")]
    for place, step in enumerate(steps[1:-1], start=1):
        bars.append(bar(edges[place], edges[place + 1], "▒" if step < 0 else "▓") if step else "")
    return [*bars, bar(0, steps[-1], "█")]


def _usd(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def _signed(cents: int) -> str:
    return f"+{_usd(cents)}" if cents > 0 else _usd(cents)


def _factor(value: Any) -> str | None:
    if value is None:
        return None
    return f"{value:,.0f}" if value >= 1000 else f"{float(value):.3g}"
