"""`bascule prices update`: another list's prices taken over into the data directory, after they have been looked at."""

import sys
from typing import Any

import click

from bascule.cli.data import read_document
from bascule.cli.output import config_option, json_option, print_json
from bascule.cli.period import iso_day, now_ms
from bascule.cli.price_changes import print_diff
from bascule.cli.price_lists import current_book, fetched, local_path, side_payload, source_of
from bascule.model.errors import BasculeError
from bascule.offline.moment import moment_ms
from bascule.offline.prices_diff import PricesDiff, Side, prices_diff
from bascule.prices.book import PriceBook
from bascule.prices.local import local_models, make_local, read_local, write_local
from bascule.prices.sources.shape import PriceSource, book_of
from bascule.prices.sources.taken import with_taken_prices
from bascule.prices.table import PricedModel, Table

MAX_FOLD = 10.0


@click.command("update")
@click.argument("source", required=False)
@click.option("--url", default=None, metavar="URL", help="Fetch the list there (https) instead of reading a file.")
@click.option("--provider", "providers", multiple=True, help="Take over this provider's alone; repeatable.")
@click.option("--model", "models", multiple=True, help="Take over this model alone; repeatable.")
@click.option("--new", "add_new", is_flag=True, help="Also models that the book does not have.")
@click.option("--from", "since", default="today", show_default=True, metavar="DATE",
              help="The day from which undated prices hold.")  # fmt: skip
@click.option("--max-fold", type=click.FloatRange(min=1), default=MAX_FOLD, show_default=True, metavar="FOLD",
              help="Refuse where a price moves by more, or from or to nothing.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option
@json_option
def update(
    source: str | None,
    url: str | None,
    providers: tuple[str, ...],
    models: tuple[str, ...],
    add_new: bool,
    since: str,
    max_fold: float,
    dry_run: bool,
    yes: bool,
    config_path: str | None,
    as_json: bool,
) -> None:
    """Take over the prices of SOURCE (a file, or `genai-prices` as installed) where they differ from those in force.

    The list is checked and the difference shown first. What is taken over goes into `prices.json` in the data
    directory, whole or not at all, and holds from its day on: rows that are priced already stay as they are, and the
    shipped history is kept. Delete that file to go back to the shipped prices.
    """
    if (source is None) == (url is None):
        raise click.UsageError("give either a SOURCE or --url")
    at_ms = now_ms()
    try:
        from_ms = moment_ms(since, at_ms)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--from") from None
    document = read_document(config_path)
    path = local_path(document)
    assert path is not None
    found = source_of(source) if source is not None else fetched(url or "")
    book = current_book(document)
    theirs = book_of(found)
    from bascule.prices.names import book_name

    diff = prices_diff(
        Side(book.version, book, at_ms),
        Side(found.name, theirs, at_ms, found.dated),
        providers=[book_name(name) for name in providers],
        models=models,
    )
    table, taken = _taken(book, theirs, found, diff, read_local(path), from_ms, at_ms, add_new)
    shown = _document(found, diff, taken, book, str(path))
    if not as_json:
        _print(shown)
    if not taken:
        _end(shown, as_json, written=False, said="Nothing to take over: the prices in force are these already.")
        return
    doubtful = [f"{one.provider}/{one.known_as}" for one in diff.changed
                if any(change.fold is None or change.fold > max_fold for change in one.changes)]  # fmt: skip
    if doubtful and not dry_run:
        raise BasculeError(
            f"refused: prices move by more than {max_fold:g} times, or from or to nothing: {', '.join(doubtful[:8])}; "
            "look at them, then raise --max-fold or choose with --provider and --model"
        )
    if dry_run:
        _end(shown, as_json, written=False, said="Nothing written (--dry-run).")
        return
    if not yes:
        if not sys.stdin.isatty() or as_json:
            raise click.UsageError("nobody is there to ask: look at it with --dry-run, then say --yes")
        click.confirm(f"Take over {len(taken)} models into {path}?", abort=True)
    try:
        write_local(path, table)
    except OSError as error:
        raise BasculeError(f"{path} cannot be written: {error.strerror or error}; nothing has changed") from error
    version = PriceBook(local=path).version
    said = f"{len(taken)} models in {path}; `current` is now {version}."
    _end({**shown, "price_version": version}, as_json, written=True, said=said)


def _taken(
    book: PriceBook,
    theirs: PriceBook,
    source: PriceSource,
    diff: PricesDiff,
    local: Table | None,
    from_ms: int,
    at_ms: int,
    add_new: bool,
) -> tuple[Table, list[str]]:
    """The new local table, and the names of what is taken over in it."""
    models: dict[str, dict[str, PricedModel]] = {
        provider: {one.id: one for one in kept} for provider, kept in local_models(local).items()
    }
    taken: list[str] = []
    said = f"{source.name}, taken over {iso_day(at_ms)}"
    for one in diff.changed:
        own, other = book.priced_model(one.provider, one.known_as), theirs.priced_model(one.provider, one.model)
        if own is None or other is None or not one.changes:
            continue  # another provider's model, sold on: its own price is not here to be changed
        made = with_taken_prices(own, other, now_ms=at_ms, from_ms=from_ms, dated=source.dated, source=said)
        models.setdefault(one.provider, {})[made.id] = made
        taken.append(f"{one.provider}/{made.id}")
    for provider, name in diff.only_after if add_new else ():
        other = theirs.priced_model(provider, name)
        if other is not None:
            made = PricedModel(id=other.id, names=other.names, match=other.match, periods=other.periods,
                               facts=other.facts, source=said)  # fmt: skip
            models.setdefault(provider, {})[made.id] = made
            taken.append(f"{provider}/{name}")
    return make_local({provider: tuple(found.values()) for provider, found in models.items()}, said), taken


def _document(found: PriceSource, diff: PricesDiff, taken: list[str], book: PriceBook, path: str) -> dict[str, Any]:
    from bascule.offline.prices_document import diff_document

    return {
        "source": side_payload(Side(found.name, book, now_ms(), found.dated)),
        "kind": found.kind,
        "left_out": found.left_out,
        "path": path,
        "price_version": book.version,
        "taken": taken,
        **diff_document(diff),
    }


def _print(shown: dict[str, Any]) -> None:
    click.echo(f"in force: {shown['price_version']}\nfrom:     {shown['source']['list']} ({shown['kind']})\n")
    print_diff(shown)
    for reason, count in shown["left_out"].items():
        click.echo(f"Left out of the list: {count:,} entries, {reason}.")


def _end(shown: dict[str, Any], as_json: bool, *, written: bool, said: str) -> None:
    if as_json:
        print_json({**shown, "written": written})
    else:
        click.echo(said)
