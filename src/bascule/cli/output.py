"""How commands print: tables for people, JSON with stable keys for programs."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
import orjson

from bascule.model.errors import BasculeError


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str | None = None) -> None:
    """A plain table; numbers flush right, unknown as a dash."""
    from rich.console import Console
    from rich.table import Table

    body = [list(row) for row in rows]
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        values = [row[index] for row in body if row[index] is not None]
        numeric = bool(values) and all(isinstance(v, int | float) or _looks_numeric(v) for v in values)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in body:
        table.add_row(*["-" if value is None else f"{value}" for value in row])
    # A pipe has no width: rows must not be folded there.
    width = None if sys.stdout.isatty() else 400
    Console(width=width, highlight=False, soft_wrap=not sys.stdout.isatty()).print(table, markup=False)


def _looks_numeric(value: Any) -> bool:
    return isinstance(value, str) and value[:1] in "$-+0123456789." and any(c.isdigit() for c in value)


def usd(nanousd: int | None, places: int = 4) -> str | None:
    """Nano-USD as `$1.2345` for a table; None stays None. JSON uses `usd_text`, which loses nothing."""
    if nanousd is None:
        return None
    scale = 10 ** (9 - places)
    rounded = (abs(nanousd) + scale // 2) // scale
    whole, fraction = divmod(rounded, 10**places)
    return f"{'-' if nanousd < 0 else ''}${whole:,}.{fraction:0{places}d}"


def usd_fit(nanousd: int | None) -> str | None:
    """As `usd`, with as many places as it takes not to show a cost as nothing."""
    if nanousd is None:
        return None
    size = abs(nanousd)
    return usd(nanousd, 4 if size == 0 or size >= 10_000_000 else 6 if size >= 10_000 else 9)


def write_text(path: Path, text: str) -> None:
    """A whole file. Raises BasculeError."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BasculeError(f"{path} cannot be written: {error.strerror}") from error


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON with stable keys.")
config_option = click.option(
    "-c",
    "--config",
    "config_path",
    type=click.Path(dir_okay=False),
    default=None,
    help="bascule.yaml; without it ./bascule.yaml if there is one, else what the environment has.",
)
