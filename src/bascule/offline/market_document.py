"""`bascule market` as a document with stable keys: prices as decimal text, folds as numbers. Pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from bascule.offline.amounts import plain
from bascule.offline.caching import cached_prices, multiples_by_provider
from bascule.offline.market import SIDES, Job, Offered, Segment, Spread, adequate, segments, spreads
from bascule.prices.published import CacheMultiples

MAKERS = ("anthropic", "openai", "google", "deepseek", "x-ai")


def market_document(
    offers: Sequence[Offered], job: Job, input_share: Decimal, left_out: dict[str, int]
) -> dict[str, Any]:
    """Stable keys; prices as decimal text, folds as numbers."""
    fit, unmet = adequate(offers, job)
    ordered = sorted(fit, key=lambda one: one.price("blended", input_share) or Decimal(one.input).scaleb(-6))
    return {
        "input_share": plain(input_share),
        "whole": {**_size(offers), "spreads": _spreads(spreads(offers, input_share)), "left_out": left_out},
        "job": None if not job.asks else {
            "quality": job.quality, "context": job.context, "max_output": job.max_output,
            "input": list(job.kinds), "only": list(job.only),
        },
        "adequate": None if not job.asks else {
            **_size(fit),
            "spreads": _spreads(spreads(fit, input_share)),
            "left_out": unmet,
            "lines": [_offer(one, input_share) for one in ordered],
        },
        "markets": [_segment(one) for one in segments(offers, input_share)],
    }  # fmt: skip


def _size(offers: Sequence[Offered]) -> dict[str, int]:
    return {"offers": len(offers), "models": len({offer.model for offer in offers})}


def _spreads(found: Sequence[Spread]) -> dict[str, Any]:
    return {
        one.side: {
            "fold": float(f"{one.fold:.6g}"),
            "dearest": _end(one.dearest, one.dearest_usd),
            "cheapest": _end(one.cheapest, one.cheapest_usd),
        }
        for one in found
    }


def _end(offer: Offered, usd: Decimal) -> dict[str, Any]:
    return {"model": offer.model, "provider": offer.provider, "usd_per_mtok": plain(usd)}


def _segment(one: Segment) -> dict[str, Any]:
    return {
        "market": one.market,
        "offers": one.offers,
        "models": one.models,
        "cheapest": _end(one.cheapest, one.cheapest_usd),
        "median_blended_usd_per_mtok": plain(one.median_usd),
        "dearest": _end(one.dearest, one.dearest_usd),
    }


def _offer(one: Offered, input_share: Decimal) -> dict[str, Any]:
    prices = {side: one.price(side, input_share) for side in SIDES}
    return {
        "model": one.model,
        "provider": one.provider,
        "market": one.market,
        **{f"{side}_usd_per_mtok": None if usd is None else plain(usd) for side, usd in prices.items()},
        "quality": one.quality,
        "quality_source": one.quality_source,
        "context_window": one.context,
    }


def caching_document(
    offers: Sequence[Offered], published: dict[str, CacheMultiples] | None, sold: Sequence[Offered]
) -> dict[str, Any]:
    """Prompt caching in multiples of the input price: what is published and follows for `offers`, and what the book
    has at the same makers (`sold`: its offers). `published` None: the book alone."""
    return {
        "published": {maker: {"write": plain(one.write), "read": plain(one.read)}
                      for maker, one in (published or {}).items()},
        "models": [
            {
                "model": one.model,
                "input_usd_per_mtok": plain(one.input),
                "cache_read_usd_per_mtok": plain(one.read),
                "cache_write_usd_per_mtok": None if one.write is None else plain(one.write),
                "read_multiple": plain(one.read_multiple),
                "write_multiple": None if one.write_multiple is None else plain(one.write_multiple),
                "reads_to_pay": one.reads_to_pay,
                "given": one.given,
            }
            for one in (() if published is None else cached_prices(offers, published))
        ],
        "book": [
            {
                "provider": one.provider,
                "models": one.models,
                "read": round(one.read, 4),
                "read_low": round(one.read_low, 4),
                "read_high": round(one.read_high, 4),
                "write": None if one.write is None else round(one.write, 4),
            }
            for one in multiples_by_provider(sold, MAKERS if published is None else tuple(published))
        ],
    }  # fmt: skip
