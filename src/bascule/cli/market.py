"""`bascule market`: the spread between dearest and cheapest, whole and for one job, and the markets side by side."""

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bascule.cli.data import read_names
from bascule.cli.output import json_option, print_json, print_table
from bascule.cli.period import iso, iso_day, now_ms
from bascule.cli.price_lists import current_book, optional_document
from bascule.cli.trend import figure, fold, from_option, input_share_option
from bascule.model.errors import BasculeError

if TYPE_CHECKING:
    from bascule.offline.market import Offered
    from bascule.prices.published import Published

TOP = 12
"""Adequate models that the table lists, cheapest first."""
KINDS = ("text", "image", "audio", "video", "document")


def read_catalog(path: Path, benchmark: str | None) -> "Published":
    """The file's parts. Raises BasculeError where it has no catalog or nobody in it has the benchmark."""
    from bascule.prices.published import CATALOG, read_published

    published = read_published(path)
    if not published.catalog:
        raise BasculeError(f"{path} has no {CATALOG}; see docs/trend.md for the layout")
    known = sorted({name for one in published.catalog for name in one.scores})
    if benchmark is not None and benchmark not in known:
        raise BasculeError(f"no model in {path} has {benchmark!r}; there are {', '.join(known) or 'none'}")
    return published


@click.command("market")
@from_option
@click.option("--quality", type=float, default=None, metavar="FLOOR", help="Adequate from there on.")
@click.option("--task", default=None, help="Quality for this task, as the configuration declares it.")
@click.option("--benchmark", default=None, metavar="NAME", help="With --from: quality is this result, e.g. swe_bench.")
@click.option("--context", type=click.IntRange(min=1), default=None, metavar="TOKENS", help="At least this context.")
@click.option("--max-output", type=click.IntRange(min=1), default=None, metavar="TOKENS", help="At least this output.")
@click.option("--input", "kinds", type=click.Choice(KINDS), multiple=True, help="Takes this kind of input; repeatable.")
@click.option("--only", multiple=True, metavar="MODEL", help="These can do the job, you say; repeatable.")
@click.option("--without", multiple=True, metavar="MODEL", help="Not part of the market; repeatable.")
@click.option("--provider", "providers", multiple=True, help="The market of these providers alone; repeatable.")
@input_share_option
@click.option("-c", "--config", "config_path", type=click.Path(dir_okay=False), default=None,
              help="A bascule.yaml whose models count with the quality that it declares.")  # fmt: skip
@json_option
def command(
    source: Path | None,
    quality: float | None,
    task: str | None,
    benchmark: str | None,
    context: int | None,
    max_output: int | None,
    kinds: tuple[str, ...],
    only: tuple[str, ...],
    without: tuple[str, ...],
    providers: tuple[str, ...],
    input_share: Decimal,
    config_path: str | None,
    as_json: bool,
) -> None:
    """How far apart the dearest and the cheapest model are: of all, and of those that can do the same job.

    A job is what you say of it: --quality, --context, --input, or the models themselves with --only. What is not
    known of a model is not adequate, as in routing. Prices are US dollars per million tokens, input, output and
    blended.
    """
    from bascule.offline.market import Job, listed_offers
    from bascule.offline.market_document import caching_document, market_document

    if benchmark is not None and source is None:
        raise click.UsageError("--benchmark reads a file's results: give the file with --from")
    if quality is not None and source is not None and benchmark is None:
        raise click.UsageError("--quality needs --benchmark to say on which result of the file")
    at_ms = now_ms()
    sold, left_out, version = book_offers(config_path, task, at_ms)
    published = None if source is None else read_catalog(source, benchmark)
    offers = sold
    if published is not None:
        offers, left_out = listed_offers(published.catalog, benchmark), {}
    job = Job(quality=quality, context=context, max_output=max_output, kinds=kinds, only=only)
    names = {name for offer in offers for name in (offer.model, f"{offer.provider}/{offer.model}")}
    for name in (*only, *without):
        if name not in names:
            raise BasculeError(f"the market has no model {name!r}; `bascule market --json` lists those that it has")
    offers = tuple(
        [
            one
            for one in offers
            if one.model not in without
            and f"{one.provider}/{one.model}" not in without
            and (not providers or one.provider in providers)
        ]
    )
    if not offers:
        raise BasculeError("nothing is on sale there; `bascule models --all` lists what is known")
    shown = {
        "source": version if source is None else source.name,
        "price_version": version if source is None else None,
        "at": iso(at_ms) if source is None else None,
        "task": task,
        "benchmark": benchmark,
        **market_document(offers, job, input_share, left_out),
        "caching": caching_document(offers, None if published is None else published.caching, sold),
    }
    if as_json:
        print_json(shown)
        return
    _print(shown)


def book_offers(
    config_path: str | None, task: str | None, at_ms: int
) -> tuple[tuple["Offered", ...], dict[str, int], str]:
    """What is on sale: a configuration's models, and everything that the price book lists. Also how much of it is
    left out, by reason, and the book's version."""
    from bascule.offline.catalog import book_lines, configured_lines
    from bascule.offline.market import line_offers

    book = current_book(optional_document(config_path))
    snapshot = read_names(config_path)
    configured = [] if snapshot is None else list(configured_lines(snapshot, at_ms, task))
    offers, left_out = line_offers([*configured, *book_lines(book, at_ms)], iso_day(at_ms) or "")
    return offers, left_out, book.version


def _print(shown: dict[str, Any]) -> None:
    share = Decimal(shown["input_share"])
    at = f", {shown['at'][:16].replace('T', ' ')} UTC" if shown["at"] else ""
    click.echo(
        f"{shown['source']}{at}: US dollars per million tokens; "
        f"blended is {share:.0%} input and {1 - share:.0%} output.\n"
    )
    whole, fit = shown["whole"], shown["adequate"]
    parts = [("whole market", whole), *([("adequate", fit)] if fit is not None else [])]
    rows = [
        (f"{name}, {side}", *_end_cells(spread["dearest"]), *_end_cells(spread["cheapest"]), fold(spread["fold"]))
        for name, part in parts
        for side, spread in part["spreads"].items()
    ]
    print_table(("spread", "dearest", "at", "cheapest", "at ", "fold"), rows)
    click.echo(f"\nThe whole market is {_count(whole)}.{_reasons(whole['left_out'], ' Not in it')}")
    if fit is not None:
        click.echo(f"Adequate is {_count(fit)}.{_reasons(fit['left_out'], ' Not adequate')}")
        if fit["offers"] < 2:
            click.echo("Fewer than two are adequate: there is no spread.")
        _print_models(fit["lines"])
    _print_markets(shown["markets"])
    _print_caching(shown["caching"])


def _end_cells(end: dict[str, Any]) -> tuple[str, str]:
    where = "" if end["provider"] is None else f"{end['provider']}/"
    return f"{where}{end['model']}", figure(float(end["usd_per_mtok"]))


def _count(part: dict[str, Any]) -> str:
    models = f"{part['models']:,} model{'s' if part['models'] != 1 else ''}"
    return models if part["offers"] == part["models"] else f"{part['offers']:,} offers of {models}"


def _reasons(counts: dict[str, int], head: str) -> str:
    return f"{head}: {', '.join([f'{why} ({count:,})' for why, count in counts.items()])}." if counts else ""


def _print_models(models: list[dict[str, Any]]) -> None:
    click.echo("")
    print_table(
        ("adequate, cheapest first", "provider", "in", "out", "blended", "quality", "market"),
        [
            (
                one["model"], one["provider"], one["input_usd_per_mtok"], one["output_usd_per_mtok"],
                None if one["blended_usd_per_mtok"] is None else figure(float(one["blended_usd_per_mtok"])),
                None if one["quality"] is None else f"{one['quality']:g} ({one['quality_source']})", one["market"],
            )
            for one in models[:TOP]
        ],
        optional=("market",),
    )  # fmt: skip
    if len(models) > TOP:
        click.echo(f"and {len(models) - TOP:,} dearer ones; --json lists all")


def _print_markets(markets: list[dict[str, Any]]) -> None:
    click.echo("")
    print_table(
        ("market", "offers", "models", "cheapest", "at", "median", "dearest", "at "),
        [
            (one["market"], one["offers"], one["models"], *_end_cells(one["cheapest"]),
             figure(float(one["median_blended_usd_per_mtok"])), *_end_cells(one["dearest"]))
            for one in markets
        ],
    )  # fmt: skip


def _print_caching(caching: dict[str, Any]) -> None:
    if caching["models"]:
        click.echo("\nPrompt caching, from the file's multiples of the input price")
        print_table(
            ("model", "input", "read", "write", "read is", "write is", "pays after reads"),
            [
                (
                    one["model"], one["input_usd_per_mtok"], one["cache_read_usd_per_mtok"],
                    one["cache_write_usd_per_mtok"], f"{one['read_multiple']}x",
                    None if one["write_multiple"] is None else f"{one['write_multiple']}x",
                    None if one["reads_to_pay"] is None else f"{one['reads_to_pay']:.2f}",
                )
                for one in caching["models"]
            ],
        )  # fmt: skip
    if caching["book"]:
        click.echo("\nPrompt caching in the price book, in multiples of the input price")
        published = caching["published"]
        columns = ["provider", "models", "read", "lowest", "highest", "write"]
        print_table(
            [*columns, "published read", "published write"] if published else columns,
            [_multiples_cells(one, published.get(one["provider"])) for one in caching["book"]],
        )


def _multiples_cells(one: dict[str, Any], published: dict[str, str] | None) -> list[Any]:
    figures = [one["read"], one["read_low"], one["read_high"], one["write"]]
    cells = [one["provider"], one["models"], *[None if value is None else f"{value:g}x" for value in figures]]
    return cells if published is None else [*cells, f"{published['read']}x", f"{published['write']}x"]
