"""A total cost of ownership as a document: stable keys, dollars as decimal strings."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from bascule.offline.quantity import number_text, usd_text_of
from bascule.offline.tco import (
    CASES,
    HEADS,
    Choice,
    Tco,
    cheapest,
    choice_tornado,
    decisive,
    head_usd,
    token_share,
    total_usd,
)
from bascule.offline.tco_file import NO_SOURCE
from bascule.offline.tornado import Assumption, Bar, Values, base_values


def tco_payload(tco: Tco, choices: Sequence[Choice]) -> dict[str, Any]:
    return {
        "years": tco.years,
        "options": [choice_payload(tco, one) for one in choices],
        "compare": compare_payload(tco, choices) if len(choices) > 1 else None,
        "assumptions": [assumption_payload(one) for one in tco.assumptions],
        "without_source": len(unsourced(tco.assumptions)),
    }


def unsourced(assumptions: Sequence[Assumption]) -> list[Assumption]:
    return [one for one in assumptions if one.source.strip().lower() == NO_SOURCE]


def choice_payload(tco: Tco, choice: Choice) -> dict[str, Any]:
    base = base_values(tco.assumptions)
    years = range(1, tco.years + 1)
    return {
        "option": choice.name,
        "title": choice.title,
        **_cases(tco, lambda values: total_usd(choice, tco.years, values)),
        "token_share": number_text(token_share(tco, choice, "base")),
        "by_year": [
            {
                "year": year,
                "base_usd": usd_text_of(sum([head_usd(choice, h, [year], base) for h in HEADS], Fraction(0))),
            }
            for year in years
        ],
        "heads": [head_payload(tco, choice, head) for head in HEADS],
        "missing_heads": [HEADS[head] for head in choice.missing_heads],
        "tornado": [bar_payload(bar) for bar in choice_tornado(tco, choice)],
    }


def head_payload(tco: Tco, choice: Choice, head: str) -> dict[str, Any]:
    """Null where nothing is assumed about it."""
    years = range(1, tco.years + 1)
    if head in choice.missing_heads:
        return {"head": HEADS[head], "low_usd": None, "base_usd": None, "high_usd": None, "by_year_usd": None}
    base = base_values(tco.assumptions)
    return {
        "head": HEADS[head],
        **_cases(tco, lambda values: head_usd(choice, head, years, values)),
        "by_year_usd": [usd_text_of(head_usd(choice, head, [year], base)) for year in years],
    }


def _cases(tco: Tco, usd: Callable[[Values], Fraction]) -> dict[str, str | None]:
    return {f"{case}_usd": usd_text_of(usd(tco.values(case))) for case in CASES}


def bar_payload(bar: Bar) -> dict[str, Any]:
    return {
        "assumption": bar.assumption.name,
        "low": number_text(bar.assumption.low),
        "high": number_text(bar.assumption.high),
        "total_at_low_usd": usd_text_of(bar.at_low),
        "total_at_high_usd": usd_text_of(bar.at_high),
        "swing_usd": usd_text_of(bar.swing),
    }


def assumption_payload(one: Assumption) -> dict[str, Any]:
    numbers: dict[str, str | None] = {case: number_text(getattr(one, case)) for case in CASES}
    return {"assumption": one.name, **numbers, "source": one.source}


def compare_payload(tco: Tco, choices: Sequence[Choice]) -> dict[str, Any]:
    """`certain`: the cheapest at its dearest costs no more than any other at its cheapest, each with assumptions of its
    own choosing. `decisive`: what the order hangs on, one assumption at a time."""
    return {
        "cheapest": cheapest(tco, choices, base_values(tco.assumptions)),
        "certain": certain(tco, choices),
        "decisive": [
            {"assumption": one.assumption.name, "cheapest_at_low": one.at_low, "cheapest_at_high": one.at_high}
            for one in decisive(tco, choices)
        ],
    }


def certain(tco: Tco, choices: Sequence[Choice]) -> bool:
    first = cheapest(tco, choices, base_values(tco.assumptions))
    most = [total_usd(one, tco.years, tco.values("high")) for one in choices if one.name == first]
    least = [total_usd(one, tco.years, tco.values("low")) for one in choices if one.name != first]
    return all(most[0] <= other for other in least)
