"""`bascule estimate --input-tokens --output-tokens`: a month's tokens at one model's price."""

from decimal import Decimal
from typing import Any

import click

from bascule.cli.offer import Offer
from bascule.cli.output import print_json, print_table
from bascule.cli.period import iso, now_ms
from bascule.decide.price import rates_for
from bascule.model.errors import BasculeError
from bascule.offline.amounts import at_least_nano, plain
from bascule.offline.estimate import bill_volumes


def of_model(volumes: dict[str, int], offer: Offer) -> dict[str, Any]:
    at_ms = now_ms()
    rates = None if offer.timeline is None else rates_for(offer.timeline, at_ms, input_tokens=0)
    if offer.timeline is None or rates is None:
        raise BasculeError(f"the price of {offer.model!r} at {offer.provider!r} is not known today")
    prices: dict[str, Decimal] = {}
    for name in volumes:
        rate = getattr(rates, name)
        if rate is None and volumes[name]:
            raise BasculeError(f"the {name} price of {offer.model!r} at {offer.provider!r} is not known")
        prices[name] = Decimal(rate or 0).scaleb(-6)
    return {
        **bill(volumes, prices),
        "model": offer.model,
        "provider": offer.provider,
        "prices_at": iso(at_ms),
        "source": offer.timeline.source,
        "price_version": offer.version,
    }


def bill(volumes: dict[str, int], prices: dict[str, Decimal]) -> dict[str, Any]:
    lines, total = bill_volumes([(name, tokens, prices[name]) for name, tokens in volumes.items()])
    return {
        "per": "month",
        "cost_usd": at_least_nano(total),
        "lines": [
            {
                "bucket": line.bucket,
                "tokens": line.tokens,
                "usd_per_mtok": plain(line.usd_per_mtok),
                "cost_usd": at_least_nano(line.usd),
            }
            for line in lines
        ],
        "model": None,
        "provider": None,
        "prices_at": None,
        "source": "given",
        "price_version": None,
    }


def show(shown: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(shown)
        return
    cells = [(line["bucket"], line["tokens"], line["usd_per_mtok"], line["cost_usd"]) for line in shown["lines"]]
    print_table(("tokens", "a month", "USD per million", "USD"), [*cells, ("total", None, None, shown["cost_usd"])])
    if shown["model"]:
        click.echo(f"{shown['model']} at {shown['provider']}, prices of {shown['prices_at']} ({shown['source']}); "
                   "standard tier, nothing cached.")  # fmt: skip
