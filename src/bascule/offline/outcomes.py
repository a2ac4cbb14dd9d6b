"""Cost per outcome. Pure.

The numerator is everything that was spent in the period, what came to nothing included; the denominator is works with
that outcome, each counted once however many sessions it took. Works of which nobody knows what became make it a range:
all of them would be outcomes, or none. A cost that is not known is a gap, so the figures are then at least what they
say.
"""

from fractions import Fraction
from typing import Any

from msgspec import Struct

from bascule.model.money import usd_text
from bascule.model.session_outcome import SessionOutcome
from bascule.offline.moment import iso_time
from bascule.offline.percentile import percentile, share
from bascule.offline.works import Work, Worked


class PerOutcome(Struct, frozen=True, kw_only=True):
    """Nano-USD per outcome of one kind."""

    outcomes: int
    unknown: int
    """Works that may or may not have been one."""
    cost_nanousd: int | None
    """All cost over the outcomes that are known; None where there is none, or no cost is known."""
    low_nanousd: int | None
    """If every unknown one were an outcome; None where there is nothing to divide by."""
    high_nanousd: int | None
    """If none were; the same as `cost_nanousd`."""


class State(Struct, frozen=True, kw_only=True):
    """Works that had the same fate."""

    name: str
    works: int
    sessions: int
    cost_nanousd: int
    known: int
    """Attempts whose cost is known; with none of them `cost_nanousd` says nothing."""
    median_nanousd: int | None
    """Of a work whose cost is fully known."""


class OutcomeFigures(Struct, frozen=True, kw_only=True):
    cost_nanousd: int
    """All cost of the period that is known, at list price."""
    known_attempts: int
    """Those that it is of."""
    works: int
    sessions: int
    unknown_attempts: int
    unknown_works: int
    """Works with no known cost at all: their usage is missing."""
    estimated_nanousd: int
    plan_nanousd: int
    loose_nanousd: int
    useful: PerOutcome
    merged: PerOutcome
    states: tuple[State, ...]
    """They divide the cost: their costs sum to it."""


_STATES = ("merged", "useful", "reverted", "abandoned", "useless", "unknown")


def state_of(work: Work) -> str:
    """One word for a work: where it went, else whether it was of use."""
    if work.delivery is not None:
        return work.delivery
    return "unknown" if work.useful is None else "useful" if work.useful else "useless"


def outcome_figures(worked: Worked) -> OutcomeFigures:
    all_works, loose = worked.works, worked.loose
    loose_cost = 0 if loose is None else loose.cost_nanousd
    cost = sum(work.cost_nanousd for work in all_works) + loose_cost
    known = sum(work.known for work in all_works) + (0 if loose is None else loose.known)
    spent = cost if known else None
    states = [_state(name, [work for work in all_works if state_of(work) == name]) for name in _STATES]
    if loose is not None:
        states.append(
            State(
                name="no session", works=0, sessions=0, cost_nanousd=loose_cost, known=loose.known, median_nanousd=None
            )
        )
    return OutcomeFigures(
        cost_nanousd=cost,
        known_attempts=known,
        works=len(all_works),
        sessions=len({session for work in all_works for session in work.sessions}),
        unknown_attempts=worked.unknown,
        unknown_works=sum(work.known == 0 for work in all_works),
        estimated_nanousd=sum(work.estimated_nanousd for work in all_works)
        + (0 if loose is None else loose.estimated_nanousd),
        plan_nanousd=sum(work.plan_nanousd for work in all_works) + (0 if loose is None else loose.plan_nanousd),
        loose_nanousd=loose_cost,
        useful=_per(spent, sum(w.useful is True for w in all_works), sum(w.useful is None for w in all_works)),
        merged=_per(
            spent,
            sum(w.delivery == "merged" for w in all_works),
            # What is known to be useless may still have been merged: only a word on where it went settles it.
            sum(w.delivery is None for w in all_works),
        ),
        states=tuple([state for state in states if state.works or state.cost_nanousd]),
    )


def _per(cost: int | None, outcomes: int, unknown: int) -> PerOutcome:
    if cost is None:
        return PerOutcome(outcomes=outcomes, unknown=unknown, cost_nanousd=None, low_nanousd=None, high_nanousd=None)
    high = round(Fraction(cost, outcomes)) if outcomes else None
    most = outcomes + unknown
    return PerOutcome(
        outcomes=outcomes,
        unknown=unknown,
        cost_nanousd=high,
        low_nanousd=round(Fraction(cost, most)) if most else None,
        high_nanousd=high,
    )


def _state(name: str, found: list[Work]) -> State:
    whole = sorted(work.cost_nanousd for work in found if not work.unknown)
    return State(
        name=name,
        works=len(found),
        sessions=len({session for work in found for session in work.sessions}),
        cost_nanousd=sum(work.cost_nanousd for work in found),
        known=sum(work.known for work in found),
        median_nanousd=percentile(whole, 50),
    )


def outcome_payload(said: SessionOutcome) -> dict[str, Any]:
    """One statement; neither `outcome` nor `score`: the source took back what it had said."""
    return {
        "session_id": said.session_id,
        "request_id": said.request_id,
        "part": said.part,
        "work": said.work,
        "at": iso_time(said.at_ms),
        "outcome": said.outcome,
        "score": said.score,
        "source": said.source,
        "note": said.note,
    }


def figures_payload(made: OutcomeFigures) -> dict[str, Any]:
    """`cost_basis` is what the cost is: the list price, before contracts."""
    return {
        "cost_usd": usd_text(made.cost_nanousd) if made.known_attempts else None,
        "cost_basis": "list",
        "works": made.works,
        "sessions": made.sessions,
        "unknown_attempts": made.unknown_attempts,
        "works_without_usage": made.unknown_works,
        "estimated_usd": usd_text(made.estimated_nanousd),
        "plan_usd": usd_text(made.plan_nanousd),
        "no_session_usd": usd_text(made.loose_nanousd),
        "per_useful": _per_payload(made.useful),
        "per_merged": _per_payload(made.merged),
        "states": [
            {
                "state": state.name,
                "works": state.works,
                "sessions": state.sessions,
                "cost_usd": usd_text(state.cost_nanousd) if state.known else None,
                "cost_share": share(state.cost_nanousd, made.cost_nanousd),
                "work_cost_p50_usd": usd_text(state.median_nanousd),
            }
            for state in made.states
        ],
    }


def _per_payload(per: PerOutcome) -> dict[str, Any]:
    return {
        "outcomes": per.outcomes,
        "unknown": per.unknown,
        "cost_usd": usd_text(per.cost_nanousd),
        "low_usd": usd_text(per.low_nanousd),
        "high_usd": usd_text(per.high_nanousd),
    }


def work_payload(work: Work) -> dict[str, Any]:
    return {
        "work": work.name,
        "state": state_of(work),
        "useful": work.useful,
        "delivery": work.delivery,
        "sessions": sorted(work.sessions),
        "cost_usd": usd_text(work.cost_nanousd) if work.known else None,
        "shared_usd": usd_text(work.shared_nanousd),
        "estimated_usd": usd_text(work.estimated_nanousd),
        "plan_usd": usd_text(work.plan_nanousd),
        "unknown_attempts": work.unknown,
    }
