"""Which spend on premium models a cheaper one might do for: a question to test, never a saving. Pure.

Nothing here knows how good an answer was. It finds work of classes at which cheaper models commonly do well, and,
apart from that, short requests whose class nobody named, and names models to try. Whether they are good enough is
for evidence to say (`bascule switch-check`), and until then no saving is claimed.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from bascule.decide.market import blended_rate, market_of
from bascule.model.money import Rates, usd_text
from bascule.model.report import Cell
from bascule.offline.dimensions import MARKETS, SMALL_INPUT, SMALL_OUTPUT
from bascule.offline.percentile import share

PLAUSIBLE = ("classification", "extraction", "summarization", "translation", "chat", "question_answering")
"""Classes of work at which models well below the dearest commonly do well; a stated list, not a finding."""

BY = ("task", "size", "provider", "model")
CANDIDATES = 3


class Candidate(Struct, frozen=True, kw_only=True):
    """A model that could be tried."""

    model: str
    provider: str
    rates: Rates
    configured: bool

    @property
    def blended(self) -> int:
        return blended_rate(self.rates) or 0


class Question(Struct, frozen=True, kw_only=True):
    """May this work go to a cheaper model?"""

    task: str | None
    """None: nobody named it, and the requests are short."""
    provider: str | None
    model: str | None
    cost_nanousd: int
    requests: int
    rates: Rates
    candidates: tuple[Candidate, ...]
    """Cheapest last: those nearest in price first, the configured ones before others."""


class RightSizing(Struct, frozen=True, kw_only=True):
    """Premium spend by what is known about its work; the five parts of it add up."""

    cost_nanousd: int
    unpriced_attempts: int
    unknown_market_nanousd: int
    """Its cost is known, the rates are not."""
    premium_nanousd: int
    plausible_nanousd: int
    """On premium models, for the stated classes."""
    short_nanousd: int
    """On premium models, class unknown, short requests."""
    questions: tuple[Question, ...]
    """Dearest first."""


def right_sizing(cells: Iterable[Cell], offers: Sequence[Candidate]) -> RightSizing:
    """`cells` are by `BY`, with rates; `offers` are models that are configured or in the catalog."""
    cost = premium = unknown = unpriced = plausible = short = 0
    asked: dict[tuple[str | None, str | None, str | None], list[Cell]] = {}
    for cell in cells:
        spent = cell.sums.cost_nanousd or 0
        cost += spent
        unpriced += cell.sums.unpriced_attempts
        market = market_of(cell.rates)
        if market is None:
            unknown += spent
        if market != "premium":
            continue
        premium += spent
        task, size, provider, model = cell.values
        if task in PLAUSIBLE:
            plausible += spent
        elif task is None and size == "small":
            short += spent
        else:
            continue
        asked.setdefault((task, provider, model), []).append(cell)
    questions = [_question(place, found, offers) for place, found in asked.items()]
    return RightSizing(
        cost_nanousd=cost,
        unpriced_attempts=unpriced,
        unknown_market_nanousd=unknown,
        premium_nanousd=premium,
        plausible_nanousd=plausible,
        short_nanousd=short,
        questions=tuple(sorted(questions, key=lambda one: (-one.cost_nanousd, one.task or "", one.model or ""))),
    )


def _question(
    place: tuple[str | None, str | None, str | None], cells: list[Cell], offers: Sequence[Candidate]
) -> Question:
    task, provider, model = place
    dearest = max(cells, key=lambda cell: cell.sums.cost_nanousd or 0)
    assert dearest.rates is not None
    return Question(
        task=task,
        provider=provider,
        model=model,
        cost_nanousd=sum(cell.sums.cost_nanousd or 0 for cell in cells),
        requests=sum(cell.sums.requests for cell in cells),
        rates=dearest.rates,
        candidates=_cheaper(dearest.rates, provider, offers),
    )


def _cheaper(rates: Rates, provider: str | None, offers: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Models of a cheaper market: configured ones, else the same provider's; those nearest in price first."""
    blended = blended_rate(rates) or 0
    below = [one for one in offers if 0 < one.blended < blended and market_of(one.rates) != "premium"]
    chosen = [one for one in below if one.configured] or [one for one in below if one.provider == provider]
    chosen.sort(key=lambda one: (-one.blended, one.model))
    return tuple(chosen[:CANDIDATES])


def right_sizing_payload(made: RightSizing) -> dict[str, Any]:
    """`{…, questions}`. No key is a saving: nothing was tested."""
    return {
        "cost_usd": usd_text(made.cost_nanousd),
        "unpriced_attempts": made.unpriced_attempts,
        "unknown_market_usd": usd_text(made.unknown_market_nanousd),
        "premium_usd": usd_text(made.premium_nanousd),
        "premium_share": share(made.premium_nanousd, made.cost_nanousd),
        "plausible_usd": usd_text(made.plausible_nanousd),
        "plausible_share": share(made.plausible_nanousd, made.cost_nanousd),
        "short_unknown_task_usd": usd_text(made.short_nanousd),
        "short_unknown_task_share": share(made.short_nanousd, made.cost_nanousd),
        "plausible_tasks": list(PLAUSIBLE),
        "short_means": short_means(),
        "markets": MARKETS,
        "evidence": None,
        "questions": [_question_payload(one) for one in made.questions],
    }


def short_means() -> str:
    return (
        f"at most {SMALL_INPUT:,} tokens in and {SMALL_OUTPUT:,} out, and no answer that calls a tool; "
        "whether tools were offered is not recorded"
    )


def _question_payload(one: Question) -> dict[str, Any]:
    blended = blended_rate(one.rates) or 0
    return {
        "task": one.task,
        "provider": one.provider,
        "model": one.model,
        "cost_usd": usd_text(one.cost_nanousd),
        "requests": one.requests,
        "candidates": [
            {
                "model": candidate.model,
                "provider": candidate.provider,
                "configured": candidate.configured,
                "price_ratio": round(blended / candidate.blended, 1),
            }
            for candidate in one.candidates
        ],
    }
