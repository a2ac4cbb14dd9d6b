"""`bascule prices` as documents with stable keys. Rates as decimal text, USD per million tokens (fees: USD each)."""

from collections.abc import Sequence
from typing import Any

from bascule.model.money import usd_text
from bascule.offline.amounts import usd_of_pico, usd_per_mtok
from bascule.offline.prices_diff import ModelDiff, PricesDiff, RateChange
from bascule.offline.rerate import Impact
from bascule.offline.retirements import Retirement

FEES = frozenset({"request_fee", "web_search_fee"})


def diff_document(diff: PricesDiff) -> dict[str, Any]:
    return {
        "same": diff.same,
        "changed": [model_document(one) for one in diff.changed],
        "ambiguous": [f"{provider}/{model}" for provider, model in diff.ambiguous],
        "only_before": [f"{provider}/{model}" for provider, model in diff.only_before],
        "only_after": [f"{provider}/{model}" for provider, model in diff.only_after],
        "providers_only_before": list(diff.providers_only_before),
        "providers_only_after": list(diff.providers_only_after),
    }


def model_document(one: ModelDiff) -> dict[str, Any]:
    return {
        "provider": one.provider,
        "model": one.known_as,
        "named": one.model,
        "changes": [change_document(change) for change in one.changes],
        "gained": list(one.gained),
        "tiers_differ": one.tiers_differ,
    }


def change_document(one: RateChange) -> dict[str, Any]:
    written = usd_of_pico if one.rate in FEES else usd_per_mtok
    return {
        "rate": one.rate,
        "before_usd": written(one.before),
        "after_usd": written(one.after),
        "change": None if one.change is None else round(one.change, 6),
    }


def impact_document(impact: Impact) -> dict[str, Any]:
    return {
        "rows": impact.rows,
        "recorded_usd": usd_text(impact.recorded_nanousd),
        "before_usd": usd_text(impact.before_nanousd),
        "after_usd": usd_text(impact.after_nanousd),
        "delta_usd": usd_text(impact.delta_nanousd),
        "models": [
            {
                "provider": one.provider,
                "model": one.model,
                "rows": one.rows,
                "recorded_usd": usd_text(one.recorded_nanousd),
                "before_usd": usd_text(one.before_nanousd),
                "after_usd": usd_text(one.after_nanousd),
                "delta_usd": usd_text(one.after_nanousd - one.before_nanousd),
            }
            for one in impact.models
        ],
        "not_rerated": [
            {"reason": reason, "rows": one.rows, "recorded_usd": usd_text(one.recorded_nanousd)}
            for reason, one in impact.not_rerated.items()
        ],
    }


def retirements_document(found: Sequence[Retirement]) -> list[dict[str, Any]]:
    def prices(one: Retirement, successor: bool) -> dict[str, Any] | None:
        rates = one.successor_rates if successor else one.rates
        if rates is None:
            return None
        return {"input_usd_per_mtok": usd_per_mtok(rates.input), "output_usd_per_mtok": usd_per_mtok(rates.output)}

    return [
        {
            "model": one.model,
            "provider": one.provider,
            "declared": one.declared,
            "retires": one.retires,
            "days_left": one.days_left,
            "price": prices(one, successor=False),
            "successor": one.successor,
            "successor_price": prices(one, successor=True),
            "input_fold": None if one.input_fold is None else round(one.input_fold, 4),
            "output_fold": None if one.output_fold is None else round(one.output_fold, 4),
            "blended_fold": None if one.blended_fold is None else round(one.blended_fold, 4),
            "source": one.source,
        }
        for one in found
    ]
