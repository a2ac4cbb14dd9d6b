"""`bascule prices`: what changed between price lists and what that does to the bill; what ends."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from bascule.cli.data import open_existing, read_document, read_names
from bascule.cli.output import config_option, json_option, print_json, print_table, usd_fit
from bascule.cli.period import iso_day, now_ms
from bascule.cli.price_changes import print_diff
from bascule.cli.price_lists import (
    CURRENT,
    announced_ms,
    current_book,
    list_of,
    optional_document,
    side_payload,
)
from bascule.cli.prices_update import update
from bascule.cli.prices_verify import verify
from bascule.cli.progress import track
from bascule.cli.trend import fold
from bascule.offline.moment import moment_ms
from bascule.offline.prices_diff import Side, prices_diff

if TYPE_CHECKING:
    from bascule.config.load import Document
    from bascule.link import Snapshot
    from bascule.model.money import PriceTimeline
    from bascule.model.row import AttemptRow


@click.group("prices")
def command() -> None:
    """Care of the price book: what changed, what that does to the bill, a second opinion, what ends."""


command.add_command(update)
command.add_command(verify)


@command.command("diff")
@click.argument("before", required=False)
@click.argument("after", required=False)
@click.option("--provider", "providers", multiple=True, help="Of this provider alone; repeatable.")
@click.option("--model", "models", multiple=True, help="Of this model alone; repeatable.")
@click.option("--impact", is_flag=True, help="Also re-rate the ledger's rows at both sides.")
@click.option("--since", default="30d", show_default=True, metavar="WHEN", help="With --impact: rows from then on.")
@click.option("--all", "everything", is_flag=True, help="Print every change.")
@config_option
@json_option
def diff(
    before: str | None,
    after: str | None,
    providers: tuple[str, ...],
    models: tuple[str, ...],
    impact: bool,
    since: str,
    everything: bool,
    config_path: str | None,
    as_json: bool,
) -> None:
    """What differs between two price lists, BEFORE and AFTER, or between two days of one.

    A list is `current` (the shipped book with what `prices update` took over), `shipped`, `genai-prices` (the
    installed package) or a file: Bascule's table, genai-prices' data.json, LiteLLM's map or models.dev's api.json.
    `@DATE` behind it names the day whose prices are meant. With one list, it is compared with `current`; with none,
    today's prices are compared with those that are announced.
    """
    at_ms = now_ms()
    document = optional_document(config_path)
    sides = _sides(before, after, document, at_ms)
    found = prices_diff(*sides, providers=_book_names(providers), models=models)
    from bascule.offline.prices_document import diff_document, impact_document

    shown: dict[str, Any] = {"before": side_payload(sides[0]), "after": side_payload(sides[1]), **diff_document(found)}
    if impact:
        try:
            since_ms = moment_ms(since, at_ms)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--since") from None
        shown["impact"] = {
            "since": iso_day(since_ms),
            **impact_document(_impact(document, config_path, sides, since_ms)),
        }
    if as_json:
        print_json(shown)
        return
    click.echo(
        f"before: {sides[0].name}, {iso_day(sides[0].at_ms)}\nafter:  {sides[1].name}, {iso_day(sides[1].at_ms)}\n"
    )
    print_diff(shown, everything=everything)
    if impact:
        _print_impact(shown["impact"])


def _sides(before: str | None, after: str | None, document: "Document | None", at_ms: int) -> tuple[Side, Side]:
    if before is None:
        now = list_of(CURRENT, document, at_ms)
        return now, Side(now.name, now.book, announced_ms(now.book, at_ms))
    if after is None:
        return list_of(CURRENT, document, at_ms), list_of(before, document, at_ms)
    return list_of(before, document, at_ms), list_of(after, document, at_ms)


def _book_names(providers: tuple[str, ...]) -> tuple[str, ...]:
    from bascule.prices.names import book_name

    return tuple([book_name(name) for name in providers])


def _impact(document: "Document | None", config_path: str | None, sides: tuple[Side, Side], since_ms: int) -> Any:
    from bascule.model.row import RowFilter
    from bascule.offline.rerate import rerate

    if document is None:  # the ledger is then where `report` has it, too
        document = read_document(config_path)
    snapshot = read_names(config_path) if document.config.providers else None
    rows = open_existing(document).view.attempts(RowFilter(since_ms=since_ms))
    before, after = sides
    return rerate(track(rows, "re-rating"), looks(before, snapshot), before.at_ms, looks(after, snapshot), after.at_ms)


def looks(side: Side, snapshot: "Snapshot | None") -> "Callable[[AttemptRow], PriceTimeline | str]":
    """How a row finds its prices in a list: by its provider as the configuration means it, and its upstream model."""
    from bascule.prices.names import book_name

    own = set() if snapshot is None else {
        (one.provider, one.upstream_model)
        for model in snapshot.models.values()
        for one in model.endpoints
        if one.prices is not None and one.prices.source == "config"
    }  # fmt: skip

    def find(row: "AttemptRow") -> "PriceTimeline | str":
        model = row.upstream_model or row.model_reported or row.model
        if row.provider is None or model is None:
            return "provider or model not known"
        linked = None if snapshot is None else snapshot.providers.get(row.provider)
        if (row.provider, model) in own or (linked is not None and linked.price is not None):
            return "priced by the configuration"
        listed = book_name(row.provider) if linked is None else linked.spec.price_provider
        timeline = None if listed is None else side.book.lookup(listed, model)
        return timeline if timeline is not None else "no price in one of the lists"

    return find


def _print_impact(impact: dict[str, Any]) -> None:
    click.echo(f"\nThe ledger since {impact['since']}, re-rated")
    if impact["rows"]:
        rows = [
            (f"{one['provider']}/{one['model']}", one["rows"], *_dollars(one, "recorded", "before", "after", "delta"))
            for one in impact["models"]
        ]
        total = ("total", impact["rows"], *_dollars(impact, "recorded", "before", "after", "delta"))
        print_table(("model", "rows", "recorded", "at before", "at after", "difference"), [*rows, total])
    else:
        click.echo("No row could be re-rated.")
    for apart in impact["not_rerated"]:
        click.echo(f"Not in it: {apart['rows']:,} rows, {apart['reason']} (recorded ${apart['recorded_usd']}).")


def _dollars(one: dict[str, Any], *names: str) -> list[str | None]:
    from decimal import Decimal

    from bascule.model.money import nanousd_from_usd

    return [usd_fit(nanousd_from_usd(Decimal(one[f"{name}_usd"]))) for name in names]


@command.command("retirements")
@click.option("--within", "within_days", type=click.IntRange(min=0), default=None, metavar="DAYS",
              help="Only those within so many days.")  # fmt: skip
@click.option("--gone", is_flag=True, help="Those that have gone, too.")
@click.option("--all", "everything", is_flag=True, help="Of the whole catalog, configured or not.")
@config_option
@json_option
def retirements(within_days: int | None, gone: bool, everything: bool, config_path: str | None, as_json: bool) -> None:
    """Models whose end is announced, soonest first, with their successors and what those cost instead.

    Of the configuration's models and providers; without a configuration, of the whole catalog. A configured model
    that has already gone is always named.
    """
    from bascule.offline.prices_document import retirements_document
    from bascule.offline.retirements import retirements as ending

    at_ms = now_ms()
    lines, priced = _ending_lines(config_path, at_ms, everything=everything)
    today = datetime.fromtimestamp(at_ms / 1000, UTC).date()
    found = retirements_document(ending(lines, priced, today, within_days=within_days, gone=gone))
    if as_json:
        print_json(found)
        return
    if not found:
        click.echo("No end is announced, as far as the catalog knows.")
        return
    print_table(
        ("model", "provider", "ends", "days", "in", "out", "successor", "its in", "its out", "price"),
        [_retirement_cells(one) for one in found],
        optional=("provider",),
    )
    for one in found:
        if one["declared"] and one["days_left"] is not None and one["days_left"] < 0:
            click.echo(f"{one['model']} ended on {one['retires']} and still stands in the configuration.")


def _ending_lines(config_path: str | None, at_ms: int, *, everything: bool) -> tuple[list[Any], Any]:
    from msgspec import structs

    from bascule.decide.price import rates_for
    from bascule.offline.catalog import Line, book_lines, catalog_lines, configured_lines
    from bascule.prices.names import book_name

    document = optional_document(config_path)
    book = current_book(document)
    snapshot = read_names(config_path) if document is not None and document.config.providers else None

    def listed(line: Line) -> str | None:
        linked = None if snapshot is None else snapshot.providers.get(line.provider)
        return book_name(line.provider) if linked is None else linked.spec.price_provider

    def priced(line: Line, model: str) -> Any:
        seller = listed(line)
        timeline = None if seller is None else book.lookup(seller, model)
        return None if timeline is None else rates_for(timeline, at_ms, input_tokens=0)

    def with_facts(line: Line) -> Line:
        """A declared model of which the configuration says no end, with the catalog's."""
        seller = listed(line)
        facts = None if seller is None else book.facts(seller, line.upstream_model)
        if line.retires is not None or facts is None:
            return line
        return structs.replace(
            line, retires=facts.retires, successor=line.successor or facts.successor, deprecated=facts.deprecated,
            facts_source=facts.source,
        )  # fmt: skip

    own = [] if snapshot is None else [with_facts(line) for line in configured_lines(snapshot, at_ms, None)]
    if everything or snapshot is None:
        return [*own, *book_lines(book, at_ms)], priced
    return [*own, *catalog_lines(snapshot.providers.values(), book, at_ms)], priced


def _retirement_cells(one: dict[str, Any]) -> list[Any]:
    price, after = one["price"] or {}, one["successor_price"] or {}
    change = one["blended_fold"]
    told = None if change is None else "the same" if change == 1 else (
        f"{fold(1 / change)} cheaper" if change < 1 else f"{fold(change)} dearer"
    )  # fmt: skip
    return [
        f"{one['model']}{' (configured)' if one['declared'] else ''}",
        one["provider"],
        one["retires"] or "not said",
        one["days_left"],
        price.get("input_usd_per_mtok"),
        price.get("output_usd_per_mtok"),
        one["successor"],
        after.get("input_usd_per_mtok"),
        after.get("output_usd_per_mtok"),
        told,
    ]
