"""`bascule trend` as a document with stable keys, and as a Vega-Lite chart. Pure.

Numbers that come out of a fit are floats; prices are decimal text. Null is unknown, or without bound in an interval.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from bascule.offline.amounts import plain, usd_per_mtok
from bascule.offline.claims import Judged, judge
from bascule.offline.fit import CONFIDENCE
from bascule.offline.history import LACKS, Change, Changes, changes, dated_points
from bascule.offline.trend import (
    Decline,
    Step,
    blended_usd,
    common_decline,
    decline,
    first_capability,
    frontier,
    listed,
    price_on,
)
from bascule.prices.book import PriceBook
from bascule.prices.dated import Dated
from bascule.prices.published import Claim, PricePoint, Published

LISTED_HOLDS = "nothing: each point is the model that was listed then, whatever it could do"
FAMILY_HOLDS = "the place in one maker's line-up; what the models there can do has grown"
STEPS_DEPEND = (
    "a step repeats its price until a cheaper model comes, so that its points are not independent: "
    "the true interval is wider than the one given"
)

Document = dict[str, Any]


def file_document(published: Published, capability: float | None, input_share: Decimal) -> Document:
    """The trend of a file of published prices, and its claims worked out."""
    points = published.history
    return {
        "source": published.file,
        "price_version": None,
        "input_share": plain(input_share),
        "confidence": CONFIDENCE,
        "history": _series("price_history", None, points, capability, input_share) if points else None,
        "claims": [claim_payload(judge(claim, published)) for claim in published.claims],
        "published_rates": _published_rates(published.claims, points, capability, input_share),
    }


def book_document(
    book: PriceBook, dated: Dated, capability: float | None, input_share: Decimal, now_ms: int
) -> Document:
    """The trend of the price book's own history, with the days and scores that ship beside it."""
    measured, unpriced = dated_points(book, dated.measured.runs)
    entries = [entry for provider in book.providers for entry in book.models_of(provider)]
    found = [(family, dated_points(book, family.line)) for family in dated.families]
    series = [listed(points, input_share) for _, (points, _) in found]
    missing = [*unpriced, *[name for _, (_, names) in found for name in names]]
    return {
        "source": book.version,
        "price_version": book.version,
        "input_share": plain(input_share),
        "confidence": CONFIDENCE,
        "history": {
            **_series(dated.measured.benchmark, dated.measured.unit, measured, capability, input_share),
            "source": dated.measured.source,
        },
        "families": [
            {
                "family": family.name,
                "source": family.source,
                "points": [_point(point, input_share, None) for point in points],
                "fit": decline_payload(decline(steps), FAMILY_HOLDS),
            }
            for (family, (points, _)), steps in zip(found, series, strict=True)
        ],
        "families_together": decline_payload(common_decline(series), f"{FAMILY_HOLDS}; one slope for all families"),
        "changes": _changes(changes(entries, now_ms)),
        "makers": sorted(
            {one.provider for family in dated.families for one in family.line}
            | {one.provider for one in dated.measured.runs}
        ),
        "lacks": [*LACKS, *([f"no price in the book of {', '.join(missing)}"] if missing else [])],
    }


def decline_payload(found: Decline, holds: str) -> Document:
    """One fit. `declines` is null where the interval holds both falling and rising prices."""
    line = found.line
    return {
        "held_constant": holds,
        "points": None if found.stated else found.n,
        "span_months": None if found.stated else round(found.span_months, 1),
        "fold_per_year": _round(found.fold_per_year),
        "fold_per_year_low": _round(found.fold_low),
        "fold_per_year_high": _round(found.fold_high),
        "halving_months": _round(found.halving_months),
        "halving_months_low": _round(found.halving_low),
        "halving_months_high": _round(found.halving_high),
        "declines": found.declines,
        "r2": None if line is None else _round(line.r2),
        "log10_slope_per_year": None if line is None else _round(line.slope),
        "log10_slope_standard_error": None if line is None or found.stated else _round(line.slope_error),
        "degrees_of_freedom": None if line is None or found.stated else line.df,
        "why_not": found.why_not,
    }


def claim_payload(judged: Judged) -> Document:
    """A claim: what is published, what its inputs give, and each difference in words."""
    claim, span = judged.claim, judged.span
    return {
        "what": claim.what,
        "line": claim.line,
        "published": claim.published if isinstance(claim.published, str) else _plain(claim.published),
        "from": None if claim.start is None else {"date": claim.start.date.text, "usd": plain(claim.start.price)},
        "to": None if claim.end is None else {"date": claim.end.date.text, "usd": plain(claim.end.price)},
        "computed": {
            **{name: _round(fold) for name, fold in judged.folds.items()},
            "months": None if span is None else _round(span.months),
            "months_low": None if span is None or span.least == span.months else _round(span.least),
            "months_high": None if span is None or span.most == span.months else _round(span.most),
            "per_year": _round(judged.per_year),
            "per_year_low": _round(judged.per_year_low),
            "per_year_high": _round(judged.per_year_high),
        },
        "like_for_like": {name: _round(fold) for name, fold in judged.like_for_like.items()} or None,
        "differences": list(judged.differences),
        "not_computed": judged.not_computed,
        "note": claim.note,
    }


def chart(document: Document, title: str) -> Document:
    """A Vega-Lite 5 specification: the models as points, the frontier as steps, its fit as a line; prices by powers.

    Self-contained: the data stand in it.
    """
    history = document["history"]
    points = [] if history is None else history["models"]
    steps = [] if history is None else history["frontier"]["steps"]
    fitted = [] if history is None else history["frontier"]["fitted"]
    models = [_plotted(one["date"], one["blended_usd_per_mtok"], one["model"]) for one in points]
    x = {"field": "date", "type": "temporal", "title": None}
    y = {"field": "usd", "type": "quantitative", "scale": {"type": "log"},
         "title": f"USD per million tokens ({Decimal(document['input_share']):.0%} input)"}  # fmt: skip
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": title,
        "width": 640,
        "height": 360,
        "layer": [
            {
                "data": {"values": models},
                "mark": {"type": "point", "filled": True, "size": 60, "tooltip": True},
                "encoding": {"x": x, "y": y, "color": {"value": "#4c78a8"},
                             "tooltip": [{"field": "model"}, {"field": "date"}, {"field": "usd"}]},
            },
            {
                "data": {"values": models},
                "mark": {"type": "text", "align": "left", "dx": 6, "dy": -6, "fontSize": 10},
                "encoding": {"x": x, "y": y, "text": {"field": "model"}},
            },
            {
                "data": {"values": [_plotted(one["date"], one["usd_per_mtok"], one["model"]) for one in steps]},
                "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2},
                "encoding": {"x": x, "y": y, "color": {"value": "#e45756"}},
            },
            {
                "data": {"values": [_plotted(one["date"], one["usd_per_mtok"]) for one in fitted]},
                "mark": {"type": "line", "strokeDash": [6, 4]},
                "encoding": {"x": x, "y": y, "color": {"value": "#e45756"}},
            },
        ],
    }  # fmt: skip


def _series(
    name: str, unit: str | None, points: Sequence[PricePoint], capability: float | None, input_share: Decimal
) -> Document:
    level = first_capability(points) if capability is None else capability
    steps = () if level is None else frontier(points, level, input_share)
    found = decline(steps)
    ordered = sorted(points, key=lambda point: point.date.middle)
    unknown = [point.model for point in ordered if point.capability is None]
    holds = "nothing: the file gives no capability" if level is None else f"{name} of at least {level:g}"
    return {
        "name": name,
        "unit": unit,
        "capability": level,
        "capability_is": "stated" if capability is not None else "that of the best model of the first date",
        "without_capability": unknown,
        "models": [_point(point, input_share, level) for point in ordered],
        "frontier": {
            "steps": [{"date": s.date.text, "model": s.model, "usd_per_mtok": plain(s.usd)} for s in steps],
            "fitted": _fitted(found, steps),
            "fit": decline_payload(found, holds),
            "warnings": _warnings(found, steps),
        },
        "listed": {"fit": decline_payload(decline(listed(points, input_share)), LISTED_HOLDS)},
    }


def _warnings(found: Decline, steps: Sequence[Step]) -> list[str]:
    said = [STEPS_DEPEND] if len({step.usd for step in steps}) < len(steps) else []
    if found.line is not None and found.span_months < 12:
        said.append(f"the points span {found.span_months:.1f} months: a yearly figure goes beyond what was seen")
    if len(steps) and not found.line:
        said = []
    return said


def _point(point: PricePoint, input_share: Decimal, level: float | None) -> Document:
    adequate = None if level is None else point.capability is not None and point.capability >= level
    return {
        "date": point.date.text,
        "model": point.model,
        "input_usd_per_mtok": usd_per_mtok(point.input),
        "output_usd_per_mtok": usd_per_mtok(point.output),
        "blended_usd_per_mtok": plain(blended_usd(point, input_share)),
        "capability": point.capability,
        "adequate": adequate,
    }


def _fitted(found: Decline, steps: Sequence[Step]) -> list[Document]:
    if found.line is None:
        return []
    ends = [(step.date.text, price_on(found.line, step.date.years)) for step in (steps[0], steps[-1])]
    return [{"date": date, "usd_per_mtok": _round(usd)} for date, usd in ends]


def _plotted(date: str, usd: Any, model: str | None = None) -> Document:
    return {"date": date, "usd": float(usd), **({} if model is None else {"model": model})}


def _published_rates(
    claims: Sequence[Claim], points: Sequence[PricePoint], capability: float | None, input_share: Decimal
) -> list[Document]:
    """Others' yearly folds, each beside the interval of the fit at stated capability."""
    level = first_capability(points) if capability is None else capability
    found = decline(() if level is None else frontier(points, level, input_share))
    low, high = found.fold_low, found.fold_high
    rates = []
    for claim in claims:
        for name, folds in claim.rates.items():
            given = [float(fold) for fold in folds]
            known = found.line is not None
            inside = (low is None or max(given) >= low) and (high is None or min(given) <= high) if known else None
            rates.append({"by": name, "fold_per_year": given, "within_interval": inside})
    return rates


def _changes(found: Changes) -> Document:
    return {
        "models": found.models,
        "models_changed": found.changed,
        "falls": len(found.falls),
        "rises": len(found.rises),
        "median_fall_fold": _round(found.median_fall),
        "lines": [_change(one) for one in sorted([*found.falls, *found.rises], key=lambda one: one.date)],
    }


def _change(one: Change) -> Document:
    return {
        "date": one.date,
        "provider": one.provider,
        "model": one.model,
        "fold": _round(one.fold),
        "input_before_usd_per_mtok": usd_per_mtok(one.input_before),
        "input_after_usd_per_mtok": usd_per_mtok(one.input_after),
        "output_before_usd_per_mtok": usd_per_mtok(one.output_before),
        "output_after_usd_per_mtok": usd_per_mtok(one.output_after),
    }


def _round(value: float | None) -> float | None:
    """Six significant digits: more would be noise."""
    return None if value is None else float(f"{value:.6g}")


def _plain(value: Any) -> Any:
    return plain(value) if isinstance(value, Decimal) else None if value is None else str(value)
