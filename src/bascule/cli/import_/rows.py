"""`bascule import jsonl`: rows of any program, as JSON Lines or CSV."""

from pathlib import Path
from typing import Any

import click

from bascule.cli.import_.options import Asked, import_options
from bascule.cli.import_.running import Imports, find, finish
from bascule.offline.imports.booking import Origin
from bascule.offline.imports.rows import SOURCE, Mapped, RowReader, column_map


@click.command("jsonl")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--map", "pairs", multiple=True, metavar="OURS=THEIRS", help="Read our column from theirs; repeatable.")
@click.option(
    "--map-file", type=click.Path(dir_okay=False, path_type=Path), help="The same from a YAML file, `ours: theirs`."
)
@import_options
def command(path: Path, pairs: tuple[str, ...], map_file: Path | None, asked: Asked) -> None:
    """Rows with the columns of `ledger export`, or mapped to them. PATH is a file or a folder; *.csv is CSV.

    A row needs `ts_start`. Without `cost_usd` or `cost_nanousd` it is priced at the book price of its day. Tags are
    columns `tag.K`, or an object `tags`. Rows without `id` or `attempt_id` are known by their content.
    """
    columns = _columns(pairs, map_file)
    found = find([path], (), given=True, suffixes=(".jsonl", ".csv", ".ndjson"))
    with Imports(Origin(SOURCE, ""), asked) as imports:
        reader = RowReader(imports.sellers, asked.attribution, columns)
        tally = imports.run(reader, found)
    finish(SOURCE, tally, asked, unknown_columns=reader.unknown)


def _columns(pairs: tuple[str, ...], map_file: Path | None) -> tuple[Mapped, ...]:
    given: dict[str, str] = {}
    if map_file is not None:
        given |= _read_map(map_file)
    for pair in pairs:
        ours, equals, theirs = pair.partition("=")
        if not equals or not ours or not theirs:
            raise click.BadParameter(f"{pair!r} is not OURS=THEIRS", param_hint="--map")
        given[ours.strip()] = theirs.strip()
    try:
        return column_map(given)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--map") from None


def _read_map(path: Path) -> dict[str, str]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        document: Any = YAML(typ="safe", pure=True).load(path)
    except OSError as error:
        raise click.BadParameter(f"{path} cannot be read: {error.strerror}", param_hint="--map-file") from None
    except (YAMLError, UnicodeDecodeError):
        raise click.BadParameter(f"{path} is not YAML", param_hint="--map-file") from None
    if not isinstance(document, dict) or not all(isinstance(item, str) for pair in document.items() for item in pair):
        raise click.BadParameter(f"{path} is not a map of our columns to theirs", param_hint="--map-file")
    return dict(document)
