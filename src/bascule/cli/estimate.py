"""`bascule estimate`: a monthly bill from volumes, or what the requests of a file will cost."""

import sys
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click

from bascule.cli.offer import Offer, find_offer, offer_config_option, provider_option
from bascule.cli.output import json_option, print_json, print_table, usd
from bascule.cli.period import iso, now_ms
from bascule.cli.progress import track
from bascule.decide.price import rates_for
from bascule.model.errors import BasculeError
from bascule.model.money import usd_text
from bascule.offline.amounts import at_least_nano, plain
from bascule.offline.bodies import Asked, BadLine, read_line
from bascule.offline.estimate import ASSUMED_OUTPUT_TOKENS, METHOD, bill_volumes, estimate_request


def _price(ctx: click.Context, param: click.Parameter, value: str | None) -> Decimal | None:
    """US dollars per million tokens, as an exact decimal."""
    if value is None:
        return None
    try:
        price = Decimal(value)
    except InvalidOperation:
        raise click.BadParameter(f"{value!r} is not a number") from None
    if not price.is_finite() or price < 0:
        raise click.BadParameter(f"{value!r} is not a price")
    return price


@click.command("estimate")
@click.option("--input-tokens", type=click.IntRange(min=0), default=None, metavar="N", help="A month.")
@click.option("--output-tokens", type=click.IntRange(min=0), default=None, metavar="N", help="A month.")
@click.option("--model", default=None, help="At this model's price; with --from, instead of the requests' own models.")
@click.option("--price-input", callback=_price, metavar="USD", help="USD per million input tokens.")
@click.option("--price-output", callback=_price, metavar="USD", help="USD per million output tokens.")
@click.option(
    "--from", "source", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path), metavar="F",
    help="JSON Lines of OpenAI or Anthropic requests, or of OpenAI's batch format; - is standard input.",
)  # fmt: skip
@click.option(
    "--answer-tokens", type=click.IntRange(min=1), default=None, metavar="N",
    help=f"With --from: how long an answer is taken to be (default {ASSUMED_OUTPUT_TOKENS}).",
)  # fmt: skip
@provider_option
@offer_config_option
@json_option
def command(
    input_tokens: int | None,
    output_tokens: int | None,
    model: str | None,
    price_input: Decimal | None,
    price_output: Decimal | None,
    source: Path | None,
    answer_tokens: int | None,
    provider: str | None,
    config_path: str | None,
    as_json: bool,
) -> None:
    """The monthly bill of a volume of tokens, or what the requests of a file will cost."""
    if source is not None:
        if input_tokens is not None or output_tokens is not None or price_input is not None or price_output is not None:
            raise click.UsageError("--from takes its volumes from the file; leave out tokens and prices")
        _requests(source, model, provider, config_path, answer_tokens, as_json)
        return
    if input_tokens is None and output_tokens is None:
        raise click.UsageError("give --input-tokens and --output-tokens, or requests with --from")
    if (model is None) == (price_input is None and price_output is None):
        raise click.UsageError("give either --model, or --price-input and --price-output")
    volumes = {"input": input_tokens or 0, "output": output_tokens or 0}
    if model is not None:
        shown = _of_model(volumes, find_offer(model, provider, config_path))
    else:
        given = {"input": price_input, "output": price_output}
        missing = [name for name, tokens in volumes.items() if tokens and given[name] is None]
        if missing:
            raise click.UsageError(f"--price-{missing[0]} is needed for --{missing[0]}-tokens")
        shown = _bill(volumes, {name: price or Decimal(0) for name, price in given.items()})
    _show(shown, as_json)


def _of_model(volumes: dict[str, int], offer: Offer) -> dict[str, Any]:
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
        **_bill(volumes, prices),
        "model": offer.model,
        "provider": offer.provider,
        "prices_at": iso(at_ms),
        "source": offer.timeline.source,
        "price_version": offer.version,
    }


def _bill(volumes: dict[str, int], prices: dict[str, Decimal]) -> dict[str, Any]:
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


def _show(shown: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(shown)
        return
    cells = [(line["bucket"], line["tokens"], line["usd_per_mtok"], line["cost_usd"]) for line in shown["lines"]]
    print_table(("tokens", "a month", "USD per million", "USD"), [*cells, ("total", None, None, shown["cost_usd"])])
    if shown["model"]:
        click.echo(f"{shown['model']} at {shown['provider']}, prices of {shown['prices_at']} ({shown['source']}); "
                   "standard tier, nothing cached.")  # fmt: skip


def _requests(
    source: Path, model: str | None, provider: str | None, config_path: str | None, answer: int | None, as_json: bool
) -> None:
    at_ms = now_ms()
    offers: dict[str, Offer | str] = {}
    bad: list[BadLine] = []
    lines: list[dict[str, Any]] = []
    for asked in track(_lines(source, model), "estimating"):
        if isinstance(asked, BadLine):
            bad.append(asked)
            continue
        lines.append(_request(asked, _offer(asked.facts.model, provider, config_path, offers), answer, at_ms))
    if bad and not lines:
        raise BasculeError(f"{source}: no line is a request; line {bad[0].line}: {bad[0].problem}")
    method = METHOD.format(output=answer or ASSUMED_OUTPUT_TOKENS)
    shown = {
        "method": method,
        "prices_at": iso(at_ms),
        "total": _total(lines),
        "requests": [{key: value for key, value in line.items() if key[0] != "_"} for line in lines],
        "bad_lines": [{"line": one.line, "problem": one.problem} for one in bad],
    }
    if as_json:
        print_json(shown)
        return
    _print_requests(shown, lines, source)


def _lines(source: Path, model: str | None) -> Iterator[Asked | BadLine]:
    try:
        stream = sys.stdin.buffer if str(source) == "-" else source.open("rb")
    except OSError as error:
        raise BasculeError(f"{source} cannot be read: {error.strerror}") from error
    with stream:
        for number, raw in enumerate(stream, start=1):
            if raw.strip():
                yield read_line(number, raw, model)


def _offer(model: str, provider: str | None, config_path: str | None, known: dict[str, Offer | str]) -> Offer | str:
    """The offer of a name, or why there is none; each name is looked up once."""
    found = known.get(model)
    if found is None:
        try:
            found = find_offer(model, provider, config_path)
        except BasculeError as error:
            found = str(error)
        known[model] = found
    return found


def _request(asked: Asked, offer: Offer | str, answer: int | None, at_ms: int) -> dict[str, Any]:
    known = offer if isinstance(offer, Offer) else None
    made = estimate_request(
        asked,
        None if known is None else known.timeline,
        at_ms,
        max_output=None if known is None else known.max_output,
        output_tokens=answer,
    )
    return {
        "line": asked.line,
        "id": asked.id,
        "model": asked.facts.model,
        "provider": None if known is None else known.provider,
        "problem": offer if isinstance(offer, str) else None,
        "tokens_in": made.tokens_in,
        "tokens_out": made.tokens_out,
        "cost_usd": usd_text(made.cost_nanousd),
        "most_tokens_out": made.most_tokens_out,
        "most_cost_usd": usd_text(made.most_nanousd),
        "_cost": made.cost_nanousd,
        "_most": made.most_nanousd,
    }


def _total(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Sums of what is known; `unpriced` says how many requests are not in them."""
    costs = [line["_cost"] for line in lines if line["_cost"] is not None]
    most = [line["_most"] for line in lines if line["_most"] is not None]
    return {
        "requests": len(lines),
        "unpriced": len(lines) - len(costs),
        "tokens_in": sum(line["tokens_in"] for line in lines),
        "tokens_out": sum(line["tokens_out"] for line in lines),
        "cost_usd": usd_text(sum(costs)) if costs else None,
        "most_cost_usd": usd_text(sum(most)) if most else None,
    }


def _print_requests(shown: dict[str, Any], lines: list[dict[str, Any]], source: Path) -> None:
    columns = ("line", "model", "in", "out", "cost", "at most")
    cells = [
        (line["line"], line["model"], line["tokens_in"], line["tokens_out"], usd(line["_cost"], 6),
         usd(line["_most"], 6))
        for line in lines
    ]  # fmt: skip
    print_table(columns, cells)
    total = shown["total"]
    cost, most = [f"${usd}" if usd else "unknown" for usd in (total["cost_usd"], total["most_cost_usd"])]
    click.echo(f"Requests: {total['requests']}. Cost: {cost}, at most {most}.")
    if total["unpriced"]:
        problems = sorted({line["problem"] for line in lines if line["problem"]})
        click.echo(f"{total['unpriced']} of them have no known price and are in no sum. {' '.join(problems)}")
    for one in shown["bad_lines"]:
        click.echo(f"{source}:{one['line']}: {one['problem']}", err=True)
    click.echo(f"Method: {shown['method']}.")
