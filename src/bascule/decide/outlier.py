"""Which endpoints of one model are far worse than their peers, and had better be tried last.

An endpoint is an outlier if its median time to first content is so many times its peers' and so many seconds more, or
its share of failures is larger by so much. At most half of a model's endpoints are, the worst first; so the last one
never is. Being tried last it shows nothing new, what it has shown fades, and it gets its turn again.
"""

from collections.abc import Mapping, Sequence
from statistics import median

from msgspec import Struct


class OutlierPolicy(Struct, frozen=True, kw_only=True):
    least_outcomes: int = 20
    """Of late, before an endpoint is compared."""
    slower: float = 3.0
    """Times its peers' median,"""
    slower_by_s: float = 1.0
    """and at least so much more."""
    more_failures: float = 0.2
    """Or so much larger a share of failures."""
    window_s: float = 60.0


class Shown(Struct, frozen=True, kw_only=True):
    """What an endpoint has shown of late."""

    outcomes: float
    """Attempts that told something of it, faded by age."""
    failed: float
    first_s: Sequence[float] = ()
    """Seconds to the first content of streams."""


def outliers(shown: Mapping[str, Shown], policy: OutlierPolicy) -> frozenset[str]:
    """The endpoints to try last, of those that serve one model."""
    known = {name: one for name, one in shown.items() if one.outcomes >= policy.least_outcomes}
    if len(known) < 2:
        return frozenset()
    badness: dict[str, float] = {}
    for name, one in known.items():
        peers = [other for peer, other in known.items() if peer != name]
        found = max(_slow(one, peers, policy), _faulty(one, peers, policy))
        if found > 0:
            badness[name] = found
    worst_first = sorted(badness, key=lambda name: (-badness[name], name))
    return frozenset(worst_first[: len(shown) // 2])


def _slow(one: Shown, peers: Sequence[Shown], policy: OutlierPolicy) -> float:
    """How many times slower than its peers; 0 where that is not far enough, or not known."""
    medians = [median(peer.first_s) for peer in peers if len(peer.first_s) >= policy.least_outcomes]
    if not medians or len(one.first_s) < policy.least_outcomes:
        return 0.0
    own_s, theirs_s = median(one.first_s), median(medians)
    far = own_s >= policy.slower * theirs_s and own_s - theirs_s >= policy.slower_by_s
    return own_s / max(theirs_s, 0.001) if far else 0.0


def _faulty(one: Shown, peers: Sequence[Shown], policy: OutlierPolicy) -> float:
    """How much larger its share of failures is, made comparable with slowness; 0 where that is not far enough."""
    own, theirs = one.failed / one.outcomes, median([peer.failed / peer.outcomes for peer in peers])
    return 100.0 * (own - theirs) if own - theirs >= policy.more_failures else 0.0


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of them do not exceed (nearest rank). Raises IndexError for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]
