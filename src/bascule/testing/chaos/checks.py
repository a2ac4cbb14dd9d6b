"""Verdicts of a scenario: a promise, what was measured, and what had to be."""

from msgspec import Struct

from bascule.testing.chaos.findings import Reconciliation

MOST_DETAILS = 20


class Check(Struct, frozen=True, kw_only=True):
    promise: str
    figure: str
    limit: str
    passed: bool
    details: tuple[str, ...] = ()
    """What spoke against it, for a person."""


def none_of(promise: str, found: int, details: list[str] | None = None, of: int | None = None) -> Check:
    """Nothing of a bad kind was found."""
    figure = str(found) if of is None else f"{found} of {of}"
    return Check(
        promise=promise, figure=figure, limit="0", passed=not found, details=tuple(details or ())[:MOST_DETAILS]
    )


def at_most(promise: str, value: float, limit: float, unit: str = "") -> Check:
    return Check(
        promise=promise,
        figure=f"{value:.3g} {unit}".strip(),
        limit=f"<= {limit:.3g} {unit}".strip(),
        passed=value <= limit,
    )


def books(found: Reconciliation) -> list[Check]:
    """What a reconciliation says."""

    def of(promise: str, *kinds: str) -> Check:
        wrong = [str(one) for one in found.findings if one.kind in kinds]
        return none_of(promise, len(wrong), wrong, found.rows)

    return [
        of("what was served and has no row", "missing"),
        of("rows for what was never served", "extra", "identity", "open"),
        of("rows that are another call's, or not what was told and costs", "other_call", "mispriced"),
        of("guesses without a flag, or below the bill", "unflagged", "below_bill"),
    ]
