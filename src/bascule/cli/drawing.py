"""Vega-Lite specifications as SVG or PNG, drawn in this process without a browser and without a network."""

from typing import Any, cast

from bascule.model.errors import BasculeError

PNG_SCALE = 2.0
"""Pixels per point: sharp on the screens of chats and pull requests."""


class NoCharts(BasculeError):
    """The extra that draws charts is not installed."""


def svg(spec: dict[str, Any]) -> str:
    return cast(str, _converter().vegalite_to_svg(spec))


def png(spec: dict[str, Any]) -> bytes:
    return cast(bytes, _converter().vegalite_to_png(spec, scale=PNG_SCALE))


def _converter() -> Any:
    try:
        import vl_convert
    except ImportError:
        raise NoCharts("charts need the extra `charts`; install it: pip install 'bascule[charts]'") from None
    return vl_convert
