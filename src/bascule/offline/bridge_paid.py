"""What contracts make of a period's bill, as a bridge needs it: what use costs by the meter, and what no use raises."""

from decimal import Decimal

from msgspec import Struct

from bascule.offline.bridge_factors import Model
from bascule.offline.contracts import UNUSED_COMMITMENT
from bascule.offline.paid import Paid, PaidReport

BY = ("provider", "model")
"""What the report for `charged_by` is by."""


class Charged(Struct, frozen=True, kw_only=True):
    """What contracts make of a period's bill."""

    metered: dict[Model, Decimal]
    """By provider and model: the part of the list price that the meter charges. What seats, capacity, a credit or a
    subscription cover is charged nothing."""
    metered_nanousd: int
    fees_nanousd: int
    """Of seats and capacity, used or not."""
    unused_nanousd: int
    """What was left of commitments."""
    on_plan_nanousd: int
    """List price of use on subscriptions whose fee no contract tells: their fee is in no bill."""

    @property
    def paid_nanousd(self) -> int:
        return self.metered_nanousd + self.fees_nanousd + self.unused_nanousd


def charged_by(report: PaidReport) -> Charged:
    """From what a period cost by provider and model."""
    metered: dict[Model, Decimal] = {}
    for (provider, model), paid in report.groups.items():
        if paid.list_nanousd is not None and paid.list_nanousd > 0:
            metered[provider, model] = Decimal(_by_meter(paid)) / paid.list_nanousd
    unused = sum([line.nanousd for line in report.fixed if line.what == UNUSED_COMMITMENT])
    return Charged(
        metered=metered,
        metered_nanousd=_by_meter(report.total),
        fees_nanousd=report.total.fee_nanousd + report.fixed_nanousd - unused,
        unused_nanousd=unused,
        on_plan_nanousd=report.total.on_plan_nanousd,
    )


def _by_meter(paid: Paid) -> int:
    return (paid.effective_nanousd or 0) - paid.fee_nanousd
