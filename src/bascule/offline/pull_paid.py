"""What one pull request cost after contracts, split over works as its list cost is. Pure."""

from bascule.offline.apportion import apportion
from bascule.offline.paid import Paid, PaidReport
from bascule.offline.parts import Part, PartKey
from bascule.offline.pull_cost import Subject, own
from bascule.offline.works import Worked

BY = ("session", "pr", "tag:pr", "branch", "project", "task")
"""What the report for `pull_paid` is by: what tells parts apart."""


def pull_paid(worked: Worked, subject: Subject, report: PaidReport) -> Paid:
    """Its own parts, and its even share of those that it has in common with other works. Idle seats and unused
    commitments are nobody's, and so not in it."""
    by_part: dict[PartKey, Paid] = {}
    for (session_id, pr, tag_pr, branch, project, task), paid in report.groups.items():
        by_part.setdefault((session_id, pr or tag_pr or None, branch, project, task), Paid()).plus(paid)
    its, found = own(worked, subject), Paid()
    for part in its.whole:
        found.plus(by_part.get(part.key, Paid()))
    for part in its.split:
        sharing = [work.name for work in worked.works if _shares(part, work.split)]
        found.plus(_part_of(by_part.get(part.key, Paid()), sharing.index(its.name), len(sharing)))
    return found


def _shares(part: Part, split: list[Part]) -> bool:
    return any(part.key == other.key for other in split)


def _part_of(paid: Paid, place: int, count: int) -> Paid:
    """One of several even shares; all of them sum to the whole."""

    def share(nanousd: int) -> int:
        return apportion(nanousd, [1] * count)[place]

    return Paid(
        list_nanousd=None if paid.list_nanousd is None else share(paid.list_nanousd),
        effective_nanousd=None if paid.effective_nanousd is None else share(paid.effective_nanousd),
        marginal_nanousd=None if paid.marginal_nanousd is None else share(paid.marginal_nanousd),
        fee_nanousd=share(paid.fee_nanousd),
        on_plan_nanousd=share(paid.on_plan_nanousd),
        unpriced_attempts=paid.unpriced_attempts,
    )
