"""Options that take exact numbers: prices, ranges, changes, shares."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

import click

from bascule.offline.quantity import Span, read_change, read_span


def price_of_text(ctx: click.Context, param: click.Parameter, value: str | None) -> Decimal | None:
    """US dollars, as an exact decimal."""
    if value is None:
        return None
    try:
        price = Decimal(value)
    except InvalidOperation:
        raise click.BadParameter(f"{value!r} is not a number") from None
    if not price.is_finite() or price < 0:
        raise click.BadParameter(f"{value!r} is not a price")
    return price


def span_of_text(ctx: click.Context, param: click.Parameter, value: str | None) -> Span | None:
    """A number from 0 up, or a range."""
    if value is None:
        return None
    return bounded(value)


def change_of_text(ctx: click.Context, param: click.Parameter, value: str | None) -> Span | None:
    if value is None:
        return None
    try:
        return read_change(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def number_between(low: int, high: int | None = None, *, above: bool = False) -> Callable[..., Any]:
    """A callback for one exact number in [low, high], or (low, high] with `above`."""

    def read(ctx: click.Context, param: click.Parameter, value: str | None) -> Fraction | None:
        if value is None:
            return None
        found = bounded(value)
        if not found.exact:
            raise click.BadParameter("takes one number, not a range")
        if found.low < low or (above and found.low == low) or (high is not None and found.high > high):
            what = f"above {low}" if above else f"from {low}"
            raise click.BadParameter(f"{value!r} is not a number {what}{'' if high is None else f' to {high}'}")
        return found.low

    return read


def bounded(text: str, most: int | None = None) -> Span:
    """A number or range from 0 to `most`. Raises click.BadParameter."""
    try:
        found = read_span(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if found.low < 0 or (most is not None and found.high > most):
        raise click.BadParameter(f"{text!r} is not within 0 to {most}" if most is not None else f"{text!r} is negative")
    return found
