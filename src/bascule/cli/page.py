"""One self-contained HTML page: figures, charts as inline SVG, tables. No script, no network, printable."""

import html
import re
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from bascule.cli.showing import showable

_STYLE = """
:root { color-scheme: light; --ink: #1f2933; --quiet: #616e7c; --line: #d9dee4; --card: #f5f7fa; }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: white; margin: 0 auto; padding: 2rem;
       max-width: 72rem; }
h1 { font-size: 1.6rem; margin: 0; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .5rem; }
.under { color: var(--quiet); margin: .25rem 0 1.5rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .75rem; }
.tile { background: var(--card); border-radius: .5rem; padding: .75rem 1rem; }
.tile b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; }
.tile span { color: var(--quiet); font-size: .85rem; }
figure { margin: 1rem 0; overflow-x: auto; }
figure svg { max-width: 100%; height: auto; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .8rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th { color: var(--quiet); font-weight: 600; }
th.text, td.text { text-align: left; }
td.text { max-width: 30rem; min-width: 8rem; white-space: normal; }
.notes { color: var(--quiet); max-width: 48rem; }
@media print { body { padding: 0; } figure, tr { break-inside: avoid; } }
"""


class Tile(Struct, frozen=True):
    """One figure that is read at a glance."""

    value: str
    label: str


class Grid(Struct, frozen=True):
    """A table. `text` names the columns that are words; the others are numbers. None is unknown: a dash."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    text: frozenset[str] = frozenset()


class Section(Struct, frozen=True, kw_only=True):
    heading: str
    charts: tuple[str, ...] = ()
    """SVG documents."""
    grid: Grid | None = None
    notes: tuple[str, ...] = ()


def page(title: str, under: str, tiles: Sequence[Tile], sections: Sequence[Section]) -> str:
    """The document. All words are escaped; the SVG comes from our own converter and is taken as it is."""
    shown = "".join(
        [f'<div class="tile"><b>{_text(tile.value)}</b><span>{_text(tile.label)}</span></div>' for tile in tiles]
    )
    shown = f'<div class="tiles">{shown}</div>' if tiles else ""
    body = "\n".join([_section(section, place) for place, section in enumerate(sections)])
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<title>{_text(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{_text(title)}</h1>
<p class="under">{_text(under)}</p>
{shown}
{body}
</body>
</html>
"""


def _section(section: Section, place: int) -> str:
    charts = "".join([f"<figure>{_unique(chart, f's{place}c{n}-')}</figure>" for n, chart in enumerate(section.charts)])
    grid = "" if section.grid is None else _grid(section.grid)
    notes = "".join([f'<p class="notes">{_text(note)}</p>' for note in section.notes])
    return f"<section>\n<h2>{_text(section.heading)}</h2>\n{charts}{grid}{notes}\n</section>"


def _grid(grid: Grid) -> str:
    kinds = [' class="text"' if column in grid.text else "" for column in grid.columns]
    head = "".join([f"<th{kind}>{_text(name)}</th>" for kind, name in zip(kinds, grid.columns, strict=True)])
    rows = "\n".join(
        [
            "<tr>" + "".join([f"<td{k}>{_cell(v)}</td>" for k, v in zip(kinds, row, strict=True)]) + "</tr>"
            for row in grid.rows
        ]
    )
    return f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>\n'


def _cell(value: Any) -> str:
    return "–" if value is None else _text(str(value))


def _text(text: str) -> str:
    return html.escape(showable(text))


def _unique(svg: str, prefix: str) -> str:
    """Charts on one page must not share ids: the clip paths of one would cut another."""
    renamed = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}\1"', svg)
    return re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}\1)", renamed)
