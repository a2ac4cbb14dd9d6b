"""Vega-Lite specifications as SVG or PNG, drawn in this process without a browser and without a network."""

import sys
from pathlib import Path
from typing import Any, cast

from bascule.cli.output import say_written
from bascule.cli.showing import showable_values
from bascule.model.errors import BasculeError

PNG_SCALE = 2.0
"""Pixels per point: sharp on the screens of chats and pull requests."""


class NoCharts(BasculeError):
    """The extra that draws charts is not installed."""


def svg(spec: dict[str, Any]) -> str:
    return cast(str, _converter().vegalite_to_svg(showable_values(spec)))


def png(spec: dict[str, Any]) -> bytes:
    return cast(bytes, _converter().vegalite_to_png(showable_values(spec), scale=PNG_SCALE))


def write_picture(spec: dict[str, Any], form: str, out_path: Path | None) -> None:
    """`form` is `svg` or `png`; to standard output where no path is given. Raises NoCharts, OSError."""
    drawn = svg(spec).encode() if form == "svg" else png(spec)
    if out_path is None:
        sys.stdout.buffer.write(drawn)
    else:
        out_path.write_bytes(drawn)
        say_written(out_path)


def _converter() -> Any:
    try:
        import vl_convert
    except ImportError:
        raise NoCharts("charts need the extra `charts`; install it: pip install 'bascule[charts]'") from None
    return vl_convert
