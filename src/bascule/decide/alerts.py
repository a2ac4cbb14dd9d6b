"""Which alerts of a budget its settled spend has reached. Pure."""

from collections.abc import Collection
from decimal import Decimal

from bascule.model.budget import BudgetState


def reached(state: BudgetState, alerts: Collection[float]) -> list[float]:
    """The thresholds (shares of the limit) at or below what is settled, lowest first. Holds do not count.

    Compared exactly: 0.8 is four fifths, not the binary number next to it. Nothing spent reaches nothing.
    """
    settled = state.settled_nanousd
    if settled <= 0:
        return []
    return sorted({share for share in alerts if settled >= Decimal(repr(share)) * state.limit_nanousd})
