"""A mix of tasks over models against one model for all of them: what was saved depends on what it is compared with.

*Stated*: every call at one stated cost on the baseline model. It flatters a mix whose cheap calls are also short.
*Like for like*: the same calls with the same tokens on the baseline model. Where a task states what a call costs, not
its tokens, they are known up to how the cost splits between input and output. If all such tasks split alike, the
baseline is linear in the share of output and lies between its two ends; if each splits in its own way, it lies in a
wider range.
"""

from collections.abc import Sequence
from fractions import Fraction

from msgspec import Struct

from bascule.offline.quantity import ZERO, Span, hull
from bascule.offline.workloads import PriceOf, Workload, on_model_at, usd_per_call

ENDS_OF_SPLIT = (Fraction(0), Fraction(1))
"""All of a call's cost for input, all of it for output."""


class Row(Struct, frozen=True, kw_only=True):
    workload: Workload
    usd_per_call: Span
    usd: Span
    """A month."""


class Against(Struct, frozen=True, kw_only=True):
    """The bill of a baseline, and the saving against it as a share."""

    usd: Span
    saving: Span | None
    """None where the baseline costs nothing."""


class Mix(Struct, frozen=True, kw_only=True):
    rows: tuple[Row, ...]
    calls: Span
    usd: Span
    baseline: str | None = None
    stated: Against | None = None
    """Against every call at a stated cost."""
    like_for_like: Against | None = None
    """Against the same tokens on the baseline model; tasks of unknown split taken to split alike."""
    any_split: Against | None = None
    """The same, each of them splitting in its own way; equal where all tokens are known."""

    @property
    def usd_per_call(self) -> Span | None:
        """None without calls, and where the number of calls is a range."""
        if not self.calls.exact or not self.calls.low:
            return None
        return Span(self.usd.low / self.calls.low, self.usd.high / self.calls.low)


def mix(
    workloads: Sequence[Workload],
    price_of: PriceOf,
    baseline: str | None = None,
    baseline_usd_per_call: Span | None = None,
) -> Mix:
    """Raises BasculeError where a price that matters is not known."""
    rows = []
    calls = usd = ZERO
    for one in workloads:
        per_call = usd_per_call(one, price_of)
        rows.append(Row(workload=one, usd_per_call=per_call, usd=per_call.times(one.calls)))
        calls, usd = calls + one.calls, usd + rows[-1].usd
    if baseline is None:
        return Mix(rows=tuple(rows), calls=calls, usd=usd)
    own = [row.usd_per_call for row in rows]
    alike = [[on_model_at(one, baseline, price_of, share) for one in workloads] for share in ENDS_OF_SPLIT]
    apart = [hull(both) for both in zip(*alike, strict=True)]
    each = [one.calls for one in workloads]
    sides = [against(each, own, side) for side in alike]
    stated = None
    if baseline_usd_per_call is not None:
        stated = against(each, own, [baseline_usd_per_call] * len(rows))
    return Mix(
        rows=tuple(rows),
        calls=calls,
        usd=usd,
        baseline=baseline,
        stated=stated,
        like_for_like=Against(
            usd=hull([side.usd for side in sides]),
            saving=None if any(side.saving is None for side in sides) else hull([s.saving for s in sides if s.saving]),
        ),
        any_split=against(each, own, apart),
    )


def against(calls: Sequence[Span], own: Sequence[Span], other: Sequence[Span]) -> Against:
    """Tasks' calls, and what one costs here and there: the other bill, and the saving against it.

    Both bills have the same number of calls, however many that is. The saving is exact where only calls are ranges,
    and a bound where costs per call are, since those of the two sides are then taken to be free of each other.
    """
    usd = sum([cost.times(count) for count, cost in zip(calls, other, strict=True)], ZERO)
    if not usd.low:
        return Against(usd=usd, saving=None)
    tasks = list(zip(calls, own, other, strict=True))
    dearest = _most_per_dollar([(count, mine.high, theirs.low) for count, mine, theirs in tasks])
    cheapest = -_most_per_dollar([(count, -mine.low, theirs.high) for count, mine, theirs in tasks])
    return Against(usd=usd, saving=Span(1 - dearest, 1 - cheapest))


def _most_per_dollar(tasks: Sequence[tuple[Span, Fraction, Fraction]]) -> Fraction:
    """The largest that sum(calls x mine) / sum(calls x theirs) can be while each count of calls is in its range.

    It is reached where tasks above some ratio have their most calls and all others their fewest.
    """
    ranked = sorted(tasks, key=lambda task: task[1] / task[2] if task[2] else task[1] * 10**18, reverse=True)
    best: Fraction | None = None
    for taken in range(len(ranked) + 1):
        counted = [(task[0].high if rank < taken else task[0].low, *task[1:]) for rank, task in enumerate(ranked)]
        below = sum([count * theirs for count, _, theirs in counted])
        if below:
            found = sum([count * mine for count, mine, _ in counted], Fraction(0)) / below
            best = found if best is None or found > best else best
    assert best is not None  # the caller's baseline costs something
    return best
