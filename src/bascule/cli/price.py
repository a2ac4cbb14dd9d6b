"""`bascule price`: what one request costs, exactly, line by line."""

from datetime import date
from typing import Any

import click
from msgspec import structs

from bascule.cli.offer import Offer, find_offer, offer_config_option, provider_option
from bascule.cli.output import json_option, print_json, print_table
from bascule.cli.period import iso, iso_day, now_ms
from bascule.decide.price import Priced, period_at, price
from bascule.model.errors import BasculeError
from bascule.model.money import usd_text
from bascule.model.usage import Usage
from bascule.offline.amounts import line_payload, rates_payload
from bascule.offline.moment import moment_ms

COUNTS = {
    "--input": ("tokens_in", "Input tokens that no cache had."),
    "--output": ("tokens_out", "Output tokens, reasoning not among them."),
    "--cache-read": ("tokens_cache_read", "Input tokens read from the provider's cache."),
    "--cache-write": ("tokens_cache_write_5m", "Input tokens written to it for five minutes, or for no named time."),
    "--cache-write-1h": ("tokens_cache_write_1h", "Input tokens written to it for an hour."),
    "--reasoning": ("tokens_reasoning", "Reasoning tokens, beside the output."),
    "--audio-in": ("tokens_audio_in", "Audio input tokens."),
    "--audio-out": ("tokens_audio_out", "Audio output tokens."),
    "--image-in": ("tokens_image_in", "Image input tokens that are counted apart."),
    "--image-out": ("tokens_image_out", "Image output tokens."),
    "--web-searches": ("web_searches", "Searches that the provider made."),
}
"""Options and the usage bucket that each is. Buckets are disjoint."""


def count_options(function: click.decorators.FC) -> click.decorators.FC:
    for option, (bucket, text) in reversed(COUNTS.items()):
        count = click.option(option, bucket, type=click.IntRange(min=0), default=0, metavar="N", help=text)
        function = count(function)
    return function


@click.command("price")
@click.argument("model")
@count_options
@provider_option
@click.option("--at", "moment", default=None, metavar="DATE", help="At the prices of that day or time; default: now.")
@click.option("--tier", default=None, help="A service tier: batch, flex, priority, …")
@offer_config_option
@json_option
def command(
    model: str,
    provider: str | None,
    moment: str | None,
    tier: str | None,
    config_path: str | None,
    as_json: bool,
    **counts: int,
) -> None:
    """The exact price of one request to MODEL: a name, or provider/name. Token counts are disjoint."""
    try:
        at_ms = now_ms() if moment is None else moment_ms(moment, now_ms())
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--at") from None
    offer = find_offer(model, provider, config_path)
    usage = usage_of(counts, tier)
    priced = None if offer.timeline is None else price(usage, offer.timeline, at_ms)
    if priced is None:
        raise BasculeError(_unknown(offer, at_ms, tier))
    shown = payload(offer, priced, at_ms, tier)
    if as_json:
        print_json(shown)
        return
    _print(shown)


def usage_of(counts: dict[str, int], tier: str | None) -> Usage:
    return structs.replace(Usage(source="reported", service_tier=tier), **counts)


def payload(offer: Offer, priced: Priced, at_ms: int, tier: str | None) -> dict[str, Any]:
    assert offer.timeline is not None
    period = period_at(offer.timeline, at_ms)
    since_ms = None if period is None or period.from_ms == 0 else period.from_ms
    return {
        "model": offer.model,
        "provider": offer.provider,
        "at": iso(at_ms),
        "tier": tier,
        "tier_known": None if tier is None else period is not None and tier in period.variants,
        "cost_usd": usd_text(priced.cost_nanousd),
        "cost_nanousd": priced.cost_nanousd,
        "tool_fees_usd": usd_text(priced.tool_fees_nanousd),
        "lines": [line_payload(line) for line in priced.lines],
        "rates": rates_payload(priced.rates),
        "rates_since": iso_day(since_ms),
        "source": offer.timeline.source,
        "price_version": offer.version,
        "also_at": list(offer.also_at),
        "not_counted": list(offer.unpriced),
    }


def _unknown(offer: Offer, at_ms: int, tier: str | None) -> str:
    what = f"the price of {offer.model!r} at {offer.provider!r}"
    if offer.timeline is None:
        return f"{what} is not known; set one under `models` in bascule.yaml"
    if period_at(offer.timeline, at_ms) is None:
        first = date.fromisoformat(iso_day(offer.timeline.periods[0].from_ms) or "")
        return f"{what} is not known for {iso_day(at_ms)}; the first known one is of {first}"
    named = "" if tier is None else f" on the tier {tier!r}"
    return f"{what}{named} is not known for everything that was asked for; it would not be free, so nothing is guessed"


def _print(shown: dict[str, Any]) -> None:
    tier = f", {shown['tier']} tier" if shown["tier"] else ""
    click.echo(f"{shown['model']} at {shown['provider']}{tier}: ${shown['cost_usd']}")
    print_table(
        ("bucket", "count", "USD per million", "USD"),
        [
            (line["bucket"], line["count"], line.get("usd_per_mtok") or f"{line['usd_each']} each", line["cost_usd"])
            for line in shown["lines"]
        ],
    )
    since = f"since {shown['rates_since']}" if shown["rates_since"] else "since before prices were dated"
    click.echo(f"Prices in force {since}; from {shown['source']}.")
    if shown["tier_known"] is False:
        click.echo(f"The price book has no rates of its own for the tier {shown['tier']!r} here: standard ones hold.")
    if shown["also_at"]:
        click.echo(f"Also sold by {', '.join(shown['also_at'])}: see --provider.")
    if shown["not_counted"]:
        click.echo(f"This provider also charges for {', '.join(shown['not_counted'])}, which is not counted here.")
