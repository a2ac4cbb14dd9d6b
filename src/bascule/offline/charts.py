"""Charts as Vega-Lite specifications (https://vega.github.io/vega-lite/): plain values, drawn elsewhere.

Amounts are US dollars as floats: a pixel is not a nano-dollar. Everything a chart shows stands beside it in a table
with exact figures.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Spec = dict[str, Any]

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
INK, QUIET, RISE, FALL, WHOLE = "#1f2933", "#9aa5b1", "#c2410c", "#0f766e", "#334e68"
PALETTE = ("#334e68", "#d97706", "#0f766e", "#b91c1c", "#6d28d9", "#0369a1", "#65a30d", "#be185d", "#78716c", "#a16207")

_STYLE: Spec = {
    "font": "DejaVu Sans, Arial, sans-serif",
    "background": "white",
    "view": {"stroke": None},
    "axis": {"labelColor": INK, "titleColor": INK, "gridColor": "#e4e7eb", "domainColor": QUIET, "labelLimit": 220},
    "legend": {"labelColor": INK, "titleColor": INK, "labelLimit": 220},
    "title": {"anchor": "start", "color": INK, "fontSize": 14},
    "range": {"category": list(PALETTE)},
}


def _chart(title: str, values: Sequence[Mapping[str, Any]], **rest: Any) -> Spec:
    return {
        "$schema": SCHEMA,
        "title": title,
        "config": _STYLE,
        "data": {"values": [dict(value) for value in values]},
        "width": 820,
        **rest,
    }


def _usd(field: str, title: str = "USD", *, scale: Mapping[str, Any] | None = None) -> Spec:
    axis = {"field": field, "type": "quantitative", "title": title, "axis": {"format": "$,~r", "labelOverlap": True}}
    return axis if scale is None else {**axis, "scale": dict(scale)}


def spend_over_time(values: Sequence[Mapping[str, Any]], *, title: str = "Spend by day") -> Spec:
    """Stacked bars. `values`: `day` (ISO date), `name`, `usd`."""
    return _chart(
        title,
        values,
        height=220,
        mark={"type": "bar"},
        encoding={
            "x": {"field": "day", "type": "ordinal", "title": None, "timeUnit": "utcyearmonthdate"}
            | {"axis": {"labelAngle": -45, "format": "%b %d", "labelOverlap": True}},
            "y": _usd("usd"),
            "color": {"field": "name", "type": "nominal", "title": None},
            "order": {"field": "usd", "type": "quantitative", "sort": "descending"},
        },
    )


def spend_by(values: Sequence[Mapping[str, Any]], *, title: str) -> Spec:
    """Horizontal bars, the dearest first. `values`: `name`, `usd`, and `label`, printed at the bar's end."""
    order = [value["name"] for value in values]
    place = {"field": "name", "type": "nominal", "sort": order, "title": None}
    return _chart(
        title,
        values,
        height={"step": 22},
        layer=[
            {"mark": {"type": "bar", "color": WHOLE}, "encoding": {"x": _usd("usd"), "y": place}},
            {
                "mark": {"type": "text", "align": "left", "dx": 4, "color": INK},
                "encoding": {"x": _usd("usd"), "y": place, "text": {"field": "label", "type": "nominal"}},
            },
        ],
    )


def spread(values: Sequence[Mapping[str, Any]], *, title: str = "Cost of a run, from p10 to p90") -> Spec:
    """Ranges with a tick at the median, on a logarithmic axis. `values`: `name`, `p10`, `p50`, `p90` in USD above 0."""
    order = [value["name"] for value in values]
    place = {"field": "name", "type": "nominal", "sort": order, "title": None}
    scale = {"type": "log"}
    return _chart(
        title,
        values,
        height={"step": 24},
        layer=[
            {
                "mark": {"type": "bar", "height": 8, "color": QUIET, "cornerRadius": 4},
                "encoding": {"x": _usd("p10", "USD a run", scale=scale), "x2": {"field": "p90"}, "y": place},
            },
            {
                "mark": {"type": "tick", "thickness": 3, "size": 16, "color": RISE},
                "encoding": {"x": _usd("p50", "USD a run", scale=scale), "y": place},
            },
        ],
    )


def waterfall(
    before: tuple[str, float], parts: Sequence[tuple[str, float]], after: tuple[str, float], *, title: str
) -> Spec:
    """From one bill to another: two whole bars and a floating one for each part. Amounts in USD."""
    values: list[Spec] = [
        {"name": before[0], "from": 0.0, "to": before[1], "kind": "bill", "label": f"{before[1]:,.2f}"}
    ]
    level = before[1]
    for name, usd in parts:
        kind = "rise" if usd > 0 else "fall"
        label = f"{usd:+,.2f}" if usd else ""
        values.append({"name": name, "from": level, "to": level + usd, "kind": kind, "label": label})
        level += usd
    values.append({"name": after[0], "from": 0.0, "to": after[1], "kind": "bill", "label": f"{after[1]:,.2f}"})
    for value in values:
        value["top"] = max(value["from"], value["to"])
    place = {"field": "name", "type": "ordinal", "sort": None, "title": None, "axis": {"labelAngle": -30}}
    kinds = {"domain": ["bill", "rise", "fall"], "range": [WHOLE, RISE, FALL]}
    return _chart(
        title,
        values,
        height=260,
        layer=[
            {
                "mark": {"type": "bar", "size": 36},
                "encoding": {
                    "x": place,
                    "y": _usd("from"),
                    "y2": {"field": "to"},
                    "color": {"field": "kind", "type": "nominal", "scale": kinds, "legend": None},
                },
            },
            {
                "mark": {"type": "text", "dy": -7, "fontSize": 10, "color": INK},
                "encoding": {"x": place, "y": _usd("top"), "text": {"field": "label", "type": "nominal"}},
            },
        ],
    )


def tornado(values: Sequence[Mapping[str, Any]], *, base_usd: float, title: str) -> Spec:
    """How far each assumption moves a total. `values`: `name`, `low`, `high`: the totals in USD; widest first."""
    order = [value["name"] for value in values]
    place = {"field": "name", "type": "nominal", "sort": order, "title": None}
    bars = [
        {
            "mark": {"type": "bar", "color": color},
            "encoding": {
                "x": _usd(end, "total, USD", scale={"zero": False}),
                "x2": {"datum": base_usd},
                "y": place,
            },
        }
        for end, color in (("low", FALL), ("high", RISE))
    ]
    rule = {"mark": {"type": "rule", "color": INK}, "encoding": {"x": {"datum": base_usd}}}
    return _chart(title, values, height={"step": 22}, layer=[*bars, rule])


def decline(
    points: Sequence[Mapping[str, Any]], fit: Sequence[Mapping[str, Any]], *, title: str = "Price at stated capability"
) -> Spec:
    """Prices over time on a logarithmic axis. `points`: `date`, `usd`, `name`; `fit`: `date`, `usd`, `low`, `high`."""
    when, title_y = {"field": "date", "type": "temporal", "title": None}, "USD per million tokens"
    scale = {"type": "log"}
    return _chart(
        title,
        points,
        height=260,
        layer=[
            {
                "data": {"values": [dict(value) for value in fit]},
                "mark": {"type": "area", "opacity": 0.15, "color": WHOLE},
                "encoding": {"x": when, "y": _usd("low", title_y, scale=scale), "y2": {"field": "high"}},
            },
            {
                "data": {"values": [dict(value) for value in fit]},
                "mark": {"type": "line", "color": WHOLE},
                "encoding": {"x": when, "y": _usd("usd", title_y, scale=scale)},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 60, "color": RISE},
                "encoding": {"x": when, "y": _usd("usd", title_y, scale=scale)},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 6, "dy": -6, "fontSize": 10, "color": INK},
                "encoding": {
                    "x": when,
                    "y": _usd("usd", title_y, scale=scale),
                    "text": {"field": "name", "type": "nominal"},
                },
            },
        ],
    )
