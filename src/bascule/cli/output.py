"""How commands print: tables for people, JSON with stable keys for programs."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import click
import orjson

from bascule.cli.showing import showable
from bascule.model.errors import BasculeError


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")


GAP = 2
LEAST_TEXT = 12
"""Columns of text are folded on a terminal, but not below this."""


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str | None = None, optional: Sequence[str] = ()
) -> None:
    """A plain table; numbers flush right, unknown as a dash.

    Where a terminal is too narrow, `optional` columns are left out, the first of them first, and named below;
    then text is folded. Numbers and the first column, which names the row, never are.
    """
    from rich.console import Console
    from rich.table import Table

    body = [list(row) for row in rows]
    numeric = [_numeric([row[index] for row in body if row[index] is not None]) for index in range(len(columns))]
    whole = [index == 0 or is_numeric for index, is_numeric in enumerate(numeric)]
    texts = [["-" if value is None else showable(f"{value}") for value in row] for row in body]
    widths = [max(len(column), *[len(row[index]) for row in texts], 0) for index, column in enumerate(columns)]
    terminal = Console(highlight=False)
    shown = list(range(len(columns)))
    if sys.stdout.isatty():
        shown = _fitting(columns, widths, optional, terminal.width)
        least = [widths[index] if whole[index] else min(widths[index], LEAST_TEXT) for index in shown]
        fits = sum(least) + GAP * (len(shown) - 1) <= terminal.width
    else:
        fits = False  # a pipe has no width: rows must not be folded there
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for index in shown:
        justify: Literal["left", "right"] = "right" if numeric[index] else "left"
        table.add_column(columns[index], justify=justify, overflow="fold", no_wrap=whole[index])
    for row in texts:
        table.add_row(*[row[index] for index in shown])
    if fits:
        terminal.print(table, markup=False)
    else:
        wide = Console(width=sum(widths) + GAP * len(widths), highlight=False, soft_wrap=True)
        with wide.capture() as captured:
            wide.print(table, markup=False)
        sys.stdout.write("".join([line.rstrip() + "\n" for line in captured.get().splitlines()]))
    left_out = [column for index, column in enumerate(columns) if index not in shown]
    if left_out:
        click.echo(f"Not shown, for want of width: {', '.join(left_out)}. A wider terminal or --json has all.")


def _fitting(columns: Sequence[str], widths: Sequence[int], optional: Sequence[str], width: int) -> list[int]:
    """The columns to show: all, or without as many of the optional ones as it takes."""
    shown = list(range(len(columns)))
    for name in optional:
        if sum([widths[index] for index in shown]) + GAP * (len(shown) - 1) <= width:
            break
        shown = [index for index in shown if columns[index] != name]
    return shown


def _numeric(values: Sequence[Any]) -> bool:
    return bool(values) and all(isinstance(value, int | float) or _looks_numeric(value) for value in values)


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


def write_out(path: Path, text: str) -> None:
    """What `--out` asked for, and on standard error that it is there. Raises BasculeError."""
    write_text(path, text)
    say_written(path)


def say_written(path: Path) -> None:
    click.echo(f"{path} written", err=True)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON with stable keys.")
config_option = click.option(
    "-c",
    "--config",
    "config_path",
    type=click.Path(dir_okay=False),
    default=None,
    help="bascule.yaml; without it ./bascule.yaml if there is one, else what the environment has.",
)
