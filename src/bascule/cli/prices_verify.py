"""`bascule prices verify`: a second opinion on the prices that are in force."""

import sys
from typing import TYPE_CHECKING, Any

import click

from bascule.cli.data import read_names
from bascule.cli.output import config_option, json_option, print_json, print_table
from bascule.cli.period import iso_day, now_ms
from bascule.cli.price_changes import print_diff
from bascule.cli.price_lists import NAMES, current_book, list_of, optional_document, side_payload
from bascule.offline.prices_diff import Side, compare_periods, prices_diff
from bascule.prices.sources.read import PACKAGE

if TYPE_CHECKING:
    from bascule.link import Snapshot

TOLERANCE = 0.01
SHOWN = 15


@click.command("verify")
@click.option("--against", default=PACKAGE, show_default=True, metavar="LIST", help=f"The second source: {NAMES}.")
@click.option("--tolerance", type=click.FloatRange(min=0), default=TOLERANCE, show_default=True, metavar="SHARE",
              help="Differences up to this share of the price are agreement.")  # fmt: skip
@click.option("--provider", "providers", multiple=True, help="Of this provider alone; repeatable.")
@config_option
@json_option
def verify(against: str, tolerance: float, providers: tuple[str, ...], config_path: str | None, as_json: bool) -> None:
    """Compare the prices in force with a second source: which agree, which differ and by how much, which are missing.

    Exit status 3 where a model of the configuration differs by more than the tolerance. Without a configuration the
    price book is compared, and nothing fails.
    """
    from bascule.offline.prices_document import diff_document
    from bascule.prices.names import book_name

    at_ms = now_ms()
    document = optional_document(config_path)
    book = current_book(document)
    second = list_of(against, document, at_ms)
    snapshot = read_names(config_path) if document is not None and document.config.providers else None
    configured = [] if snapshot is None else _configured(snapshot, second, at_ms, tolerance)
    whole = prices_diff(Side(book.version, book, at_ms), second, providers=[book_name(name) for name in providers])
    apart = tuple([one for one in whole.changed if one.widest > tolerance])
    shown = {
        "against": side_payload(second),
        "tolerance": tolerance,
        "configured": configured,
        "agree": whole.same + len(whole.changed) - len(apart),
        "differ": len(apart),
        "book": {**diff_document(whole), "changed": diff_document(whole)["changed"][: len(apart)]},
    }
    failed = [one for one in configured if one["verdict"] == "differs"]
    if as_json:
        print_json(shown)
    else:
        _print(shown, book.version)
        if failed:
            names = ", ".join([one["model"] for one in failed])
            click.echo(f"\nDiffers by more than {tolerance:.1%}: {names}.", err=True)
    if failed:
        sys.exit(3)


def _configured(snapshot: "Snapshot", second: Side, at_ms: int, tolerance: float) -> list[dict[str, Any]]:
    """Every endpoint of the configuration: agrees, differs, missing there, unpriced here, or not comparable."""
    from bascule.offline.prices_document import model_document

    found = []
    for model in snapshot.models.values():
        for endpoint in model.endpoints:
            linked = snapshot.providers.get(endpoint.provider)
            listed = None if linked is None else linked.spec.price_provider
            theirs = None if listed is None else second.book.lookup(listed, endpoint.upstream_model)
            changes: list[dict[str, Any]] = []
            if listed is None:
                verdict = "not comparable"
            elif endpoint.prices is None:
                verdict = "unpriced here"
            elif theirs is None:
                verdict = "missing there"
            else:
                diff = compare_periods(listed, model.name, endpoint.prices, at_ms, theirs, second.at_ms)
                verdict = "agrees" if diff is None or diff.widest <= tolerance else "differs"
                changes = [] if diff is None else model_document(diff)["changes"]
            found.append(
                {
                    "model": model.name,
                    "provider": endpoint.provider,
                    "upstream_model": endpoint.upstream_model,
                    "verdict": verdict,
                    "price_from": None if endpoint.prices is None else endpoint.prices.source,
                    "changes": changes,
                }
            )
    return found


def _print(shown: dict[str, Any], version: str) -> None:
    click.echo(f"in force: {version}\nagainst:  {shown['against']['list']}, {iso_day(now_ms())}\n")
    if shown["configured"]:
        print_table(
            ("configured model", "provider", "verdict", "price from", "differences (here > there)"),
            [
                (one["model"], one["provider"], one["verdict"], one["price_from"], _told(one["changes"]))
                for one in shown["configured"]
            ],
        )
        click.echo("")
    click.echo(f"The price book: {shown['agree']:,} models agree, {shown['differ']:,} differ by more.")
    print_diff(shown["book"])


def _told(changes: list[dict[str, Any]]) -> str | None:
    return "; ".join([f"{one['rate']} {one['before_usd']} > {one['after_usd']}" for one in changes]) or None
