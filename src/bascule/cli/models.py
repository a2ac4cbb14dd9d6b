"""`bascule models`: the catalog, with prices and their date, capabilities, and quality with its source."""

from typing import Any

import click

from bascule.cli.data import read_names
from bascule.cli.output import config_option, json_option, print_json, print_table
from bascule.cli.period import iso_day, now_ms
from bascule.cli.price_lists import current_book, optional_document
from bascule.model.errors import BasculeError
from bascule.offline.amounts import rates_payload, usd_per_mtok
from bascule.offline.catalog import Line, Sort, book_lines, catalog_lines, configured_lines, sorted_lines


@click.command("models")
@config_option
@click.option("--task", default=None, help="Quality for this task instead of in general.")
@click.option("--sort", type=click.Choice(["price", "quality", "speed"]), default=None, help="Best first.")
@click.option("--provider", default=None, help="Of this provider alone.")
@click.option("--all", "everything", is_flag=True, help="All providers of the price book, configured or not.")
@json_option
def command(
    config_path: str | None, task: str | None, sort: Sort | None, provider: str | None, everything: bool, as_json: bool
) -> None:
    """Models that can be asked for, what they cost and what is known of them.

    Prices are US dollars per million tokens at the standard tier; `+` marks those with further tiers. Quality is
    what the configuration declares; without a declaration it is unknown.
    """
    at_ms = now_ms()
    book = current_book(optional_document(config_path))
    snapshot = read_names(config_path, needed=not everything)
    lines: list[Line] = [] if snapshot is None else list(configured_lines(snapshot, at_ms, task))
    if everything:
        lines += book_lines(book, at_ms)
    elif snapshot is not None:
        lines += catalog_lines(snapshot.providers.values(), book, at_ms)
    if provider is not None:
        lines = [line for line in lines if line.provider == provider]
        if not lines:
            mend = "`--all` looks beyond what is configured" if not everything else "see the names in `models --all`"
            raise BasculeError(f"no models are known of a provider {provider!r}; {mend}")
    lines = sorted_lines(lines, sort)
    if as_json:
        print_json([payload(line, book.version) for line in lines])
        return
    columns = ("model", "provider", "in", "out", "cached", "since", "context", "max out", "takes", "quality", "retires")
    print_table(columns, [_cells(line) for line in lines], optional=("takes", "max out", "since", "cached"))


def payload(line: Line, version: str) -> dict[str, Any]:
    """Stable keys; null is unknown."""
    return {
        "model": line.model,
        "provider": line.provider,
        "upstream_model": line.upstream_model,
        "declared": line.declared,
        "free": line.free,
        "price": None if line.rates is None else rates_payload(line.rates),
        "price_since": iso_day(line.rates_since_ms),
        "price_has_tiers": line.has_tiers,
        "price_source": line.price_source,
        "price_version": version,
        "context_window": line.context_window,
        "max_output": line.max_output,
        "input": None if line.input is None else list(line.input),
        "tools": line.tools,
        "json_schema": line.json_schema,
        "reasoning": line.reasoning,
        "quality": line.quality,
        "quality_source": line.quality_source,
        "speed_tokens_per_s": line.speed_tokens_per_s,
        "ttft_s": line.ttft_s,
        "retires": line.retires,
        "successor": line.successor,
        "deprecated": line.deprecated,
        "facts_source": line.facts_source,
    }


def _cells(line: Line) -> list[Any]:
    rates = line.rates
    retires = line.retires if line.successor is None else f"{line.retires or '?'} for {line.successor}"
    quality = None if line.quality is None else f"{line.quality:g} ({line.quality_source})"
    return [
        line.model,
        line.provider,
        None if rates is None or rates.input is None else f"{usd_per_mtok(rates.input)}{'+' if line.has_tiers else ''}",
        None if rates is None else usd_per_mtok(rates.output),
        None if rates is None else usd_per_mtok(rates.cache_read),
        iso_day(line.rates_since_ms),
        line.context_window,
        line.max_output,
        None if line.input is None else ",".join(line.input),
        quality,
        retires,
    ]
