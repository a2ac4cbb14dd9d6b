"""May a workload move from one model to another? The verdict, and what it rests on. Pure.

`switch` needs proof that quality falls by no more than the margin, and a lower bill; `keep` needs proof that it falls
by more, or that moving saves nothing; everything else is `not_enough_evidence`, with the number of further cases that
would show it. In doubt nothing moves.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from bascule.offline.evaluation.features import Gap
from bascule.offline.evaluation.paired import ONE_SIDED, POWER, Difference, cases_needed
from bascule.offline.evaluation.run_file import Result

Verdict = Literal["switch", "keep", "not_enough_evidence"]
DEFAULT_MARGIN = 0.02
METHOD = (
    f"one-sided {ONE_SIDED:.0%} bound of the paired difference against the margin; cases still needed for a power of "
    f"{POWER:.0%}, if the true difference is the one that was seen, or none where that was in favour of the second"
)


class Costs(Struct, frozen=True, kw_only=True):
    """The ledger's requests of the one model, priced at both. Nano-USD; None is unknown."""

    requests: int
    before_nanousd: int | None
    after_nanousd: int | None
    """The same tokens, cached ones at the other's prices for cached ones."""
    longer_nanousd: int | None
    """The same with the output that the second would write, where that was measured."""
    not_priced: dict[str, int]
    """Requests that are in no sum, by reason."""
    output_ratio: float | None = None
    """Output tokens of the second by those of the first on the same cases: how much longer its answers are."""

    @property
    def ratio(self) -> float | None:
        """Second by first, with the same tokens."""
        return _ratio(self.after_nanousd, self.before_nanousd)

    @property
    def longer_ratio(self) -> float | None:
        """Second by first, with its own output."""
        return _ratio(self.longer_nanousd, self.before_nanousd)


class Break(Struct, frozen=True, kw_only=True):
    """A case that the first did and the second does not."""

    case: str
    score_first: float | None
    """None: its recorded answer is what the second was compared with."""
    score_second: float
    reason: str | None


class Decided(Struct, frozen=True, kw_only=True):
    verdict: Verdict
    reason: str
    cases_needed: int | None = None
    """In all, for the same question; None where it is decided, or no number of cases would decide it."""
    cases_still_needed: int | None = None


def decided(
    difference: Difference | None,
    *,
    margin: float,
    case_cost_ratio: float | None,
    gaps: list[Gap],
) -> Decided:
    """`case_cost_ratio`: what the same work costs at the second by what it costs at the first, as best it is known.
    `gaps`: what the traffic uses and the second may lack; requests that it cannot serve count as failed."""
    if difference is None:
        return _open("no case has a score of both; a suite with graders, or --judge, would give some")
    if difference.at_most < -margin:
        return Decided(verdict="keep", reason=f"quality falls by {-difference.at_most:.3f} at least, over {margin:g}")
    lost = [gap for gap in gaps if gap.standing == "lost"]
    share = max([gap.share for gap in lost], default=0.0)
    if share > margin:
        named = ", ".join([f"{gap.feature} ({gap.requests} of {gap.of} requests)" for gap in lost])
        return Decided(verdict="keep", reason=f"the traffic uses what the other lacks: {named}")
    if difference.at_least - share >= -margin:
        return _by_cost(difference, case_cost_ratio)
    needed = _needed(difference, margin)
    if needed is None:
        return _open("what was seen lies on the margin itself, which no number of cases is sure to decide")
    needed = max(needed, difference.cases + 1)
    return Decided(
        verdict="not_enough_evidence",
        reason=f"quality may change by {difference.at_least:+.3f} to {difference.at_most:+.3f}, margin {margin:g}",
        cases_needed=needed,
        cases_still_needed=needed - difference.cases,
    )


def _by_cost(difference: Difference, ratio: float | None) -> Decided:
    """Quality holds; whether to move hangs on the bill."""
    falls = max(0.0, -difference.at_least)
    if ratio is None:
        return _open("quality holds, but what it would cost is not known")
    if ratio < 1:
        return Decided(verdict="switch", reason=f"quality falls by {falls:.3f} at most, and it costs {ratio:.3g} times")
    if difference.at_least > 0:
        return Decided(verdict="switch", reason=f"it is better by {difference.at_least:.3f} at least, and costs more")
    return Decided(verdict="keep", reason=f"quality holds, but it would cost {ratio:.3g} times, which saves nothing")


def breaks_of(first: Sequence[Result] | None, second: Sequence[Result]) -> list[Break]:
    """`first` None: the second was compared with recorded answers. The worst first."""
    before = None if first is None else {result.case: result for result in first}
    found = []
    for result in second:
        if result.score is None or result.passed is not False:
            continue
        known = None if before is None else before.get(result.case)
        if before is not None and (known is None or known.passed is not True):
            continue
        found.append(
            Break(
                case=result.case,
                score_first=None if known is None else known.score,
                score_second=result.score,
                reason=result.reason or result.error,
            )
        )
    return sorted(found, key=lambda one: (one.score_second, one.case))


def _ratio(after: int | None, before: int | None) -> float | None:
    return None if not before or after is None else after / before


def _open(reason: str) -> Decided:
    return Decided(verdict="not_enough_evidence", reason=reason)


def _needed(difference: Difference, margin: float) -> int | None:
    """If the two are as different as was seen, or equal where the second was seen to be better: a first glance
    flatters."""
    gap = abs(min(difference.mean, 0.0) + margin)
    return None if gap < 1e-9 else cases_needed(difference, gap)
