"""`bascule selfhost`: what tokens cost on accelerators of one's own, and from when on that beats a price per token."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import click

from bascule.cli.estimating.prices import Prices
from bascule.cli.numbers import bounded, change_of_text, number_between, price_of_text
from bascule.cli.offer import provider_option
from bascule.cli.output import config_option, json_option, print_json
from bascule.cli.period import Period, now_ms, period_options
from bascule.cli.selfhosting.show import show
from bascule.cli.selfhosting.sources import Counted, ledger_volume, measure_endpoint
from bascule.offline.measure import Measured
from bascule.offline.quantity import Span, number_text
from bascule.offline.selfhost import HOURS_PER_MONTH, Fleet
from bascule.offline.selfhost_payload import Api, Verdict, Years, selfhost_payload
from bascule.offline.workloads import rate

ABOVE_0 = number_between(0, above=True)


@click.command("selfhost")
@click.option("--usd-per-hour", required=True, callback=ABOVE_0, metavar="USD", help="Of one node.")
@click.option("--tokens-per-second", callback=ABOVE_0, metavar="N", help="Of one node at full load.")
@click.option("--utilisation", callback=number_between(0, 1, above=True), metavar="SHARE", help="Planned: 0.6 or 60%.")
@click.option("--replicas", type=click.IntRange(min=1), default=1, show_default=True, help="Least serving nodes.")
@click.option("--redundancy", type=click.IntRange(min=0), default=0, help="Nodes that stand by, paid all the same.")
@click.option("--quantisation", default=None, metavar="NAME", help="For the record; its effect is what --speedup says.")
@click.option("--speedup", callback=ABOVE_0, metavar="N", help="On the tokens per second, e.g. 2 for fp8.")
@click.option(
    "--hours-per-month", callback=ABOVE_0, metavar="N", help=f"Paid (default {number_text(HOURS_PER_MONTH)})."
)
@click.option("--against", default=None, metavar="MODEL", help="Compare with this model's price.")
@click.option("--price-input", callback=price_of_text, metavar="USD", help="Compare with this, per million tokens …")
@click.option("--price-output", callback=price_of_text, metavar="USD", help="… and this.")
@click.option("--output-share", default=None, metavar="SHARE", help="Of all tokens, or a range; unknown: any.")
@click.option("--tokens-per-month", callback=ABOVE_0, metavar="N", help="The volume, counted as the speed is.")
@click.option("--ledger-model", default=None, metavar="MODEL", help="Volume and output share of a model in the ledger.")
@click.option("--volume-growth", callback=change_of_text, metavar="CHANGE", help="Every year: 100%, 2x, or a range.")
@click.option("--price-change", callback=change_of_text, metavar="CHANGE", help="Of the API, every year: -50%, 0.5x.")
@click.option("--measure", "url", default=None, metavar="URL", help="Measure tokens per second there: it is sent load.")
@click.option("--measure-model", default=None, metavar="NAME", help="With --measure: the model's name there.")
@click.option("--measure-key", default="none", show_default=True, metavar="REF", help="env:NAME, file:PATH or none.")
@click.option("--measure-requests", type=click.IntRange(1, 1000), default=32, show_default=True)
@click.option("--measure-concurrency", type=click.IntRange(1, 256), default=8, show_default=True)
@click.option("--measure-max-tokens", type=click.IntRange(1, 8192), default=128, show_default=True)
@provider_option
@config_option
@period_options
@json_option
def command(period: Period, **options: Any) -> None:
    """USD per million tokens on accelerators of your own, and the volume and month from which they beat an API.

    Tokens per second count what the volume counts: input and output together if the API is charged for both.
    """
    _check(options)
    measured = None if options["url"] is None else _measure(options)
    speed: Fraction = options["tokens_per_second"] if measured is None else measured.tokens_per_second
    counted = None
    if options["ledger_model"] is not None:
        counted = ledger_volume(options["config_path"], options["ledger_model"], period)
    fleet = Fleet(
        usd_per_hour=options["usd_per_hour"],
        tokens_per_second=speed,
        speedup=options["speedup"] or Fraction(1),
        utilisation=options["utilisation"] or Fraction(1),
        replicas=options["replicas"],
        redundancy=options["redundancy"],
        hours_per_month=options["hours_per_month"] or HOURS_PER_MONTH,
    )
    found = Verdict(
        fleet=fleet,
        utilisation=options["utilisation"],
        api=_api(options, _output_share(options, measured, counted)),
        tokens=options["tokens_per_month"] if counted is None else counted.volume.tokens,
        years=Years(volume_growth=options["volume_growth"], price_change=options["price_change"]),
    )
    now = datetime.fromtimestamp(now_ms() / 1000, UTC)
    today = (now.year, now.month)
    if options["as_json"]:
        print_json({**selfhost_payload(found, today, measured), "quantisation": options["quantisation"]})
        return
    show(found, today, measured, counted, options["quantisation"])


def _check(options: dict[str, Any]) -> None:
    if (options["tokens_per_second"] is None) == (options["url"] is None):
        raise click.UsageError("give either --tokens-per-second, or an endpoint to --measure")
    if options["url"] is not None and options["measure_model"] is None:
        raise click.UsageError("--measure needs --measure-model: what the endpoint calls its model")
    if options["quantisation"] is not None and options["speedup"] is None and options["url"] is None:
        raise click.UsageError(
            "how much faster a quantisation is has to be said: add --speedup, 1 if it is in the speed"
        )
    if options["ledger_model"] is not None and options["tokens_per_month"] is not None:
        raise click.UsageError("give the volume by --tokens-per-month or from the ledger, not both")
    given = [options[name] for name in ("price_input", "price_output")]
    if options["against"] is not None and given != [None, None]:
        raise click.UsageError("compare with a model (--against) or with prices, not both")
    if given.count(None) == 1:
        raise click.UsageError("--price-input and --price-output go together")


def _measure(options: dict[str, Any]) -> Measured:
    return measure_endpoint(
        options["url"],
        model=options["measure_model"],
        api_key=options["measure_key"],
        requests=options["measure_requests"],
        concurrency=options["measure_concurrency"],
        max_tokens=options["measure_max_tokens"],
    )


def _output_share(options: dict[str, Any], measured: Measured | None, counted: Counted | None) -> Span | None:
    """As stated, else of the ledger's tokens, else of the measured ones; None is unknown."""
    if options["output_share"] is not None:
        return bounded(options["output_share"], 1)
    if counted is not None and counted.volume.output_share is not None:
        return Span(counted.volume.output_share, counted.volume.output_share)
    return None if measured is None else Span(measured.output_share, measured.output_share)


def _api(options: dict[str, Any], output_share: Span | None) -> Api | None:
    price_input: Decimal | None = options["price_input"]
    if price_input is not None:
        return Api(
            name="the API",
            price_input=Fraction(price_input),
            price_output=Fraction(options["price_output"]),
            output_share=output_share,
        )
    model = options["against"]
    if model is None:
        return None
    prices = Prices({}, now_ms(), provider=options["provider"], config_path=options["config_path"])
    price = prices(model, Fraction(0))
    return Api(
        name=f"{price.model} at {price.provider}",
        price_input=rate(price, "input"),
        price_output=rate(price, "output"),
        output_share=output_share,
    )
