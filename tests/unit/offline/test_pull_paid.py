"""What a pull request cost after contracts: its own, and even shares that sum to what was shared."""

from bascule.offline.paid import Paid, PaidReport
from bascule.offline.parts import Part
from bascule.offline.pull_cost import Subject
from bascule.offline.pull_paid import BY, pull_paid
from bascule.offline.works import works


def part(branch: str, pr: str | None, cost: int) -> Part:
    return Part(
        session_id="s", pr=pr, branch=branch, project="web", first_ms=1, last_ms=2, attempts=1, known=1,
        cost_nanousd=cost,
    )  # fmt: skip


def report(groups: dict[tuple[str | None, ...], Paid]) -> PaidReport:
    total = Paid()
    for paid in groups.values():
        total.plus(paid)
    return PaidReport(by=BY, since_ms=0, until_ms=9, groups=groups, total=total, fixed=(), warnings=(), terms=())


def test_own_parts_and_shares_of_common_ones_sum_to_what_was_paid() -> None:
    worked = works([part("main", None, 101), part("a", "acme/web#1", 50), part("b", "acme/web#2", 70)], ())
    found = report({
        ("s", None, None, "main", "web", None): Paid(list_nanousd=101, effective_nanousd=51, fee_nanousd=51),
        ("s", "acme/web#1", None, "a", "web", None): Paid(list_nanousd=50, effective_nanousd=40),
        ("s", None, "acme/web#2", "b", "web", None): Paid(list_nanousd=70, on_plan_nanousd=70),
    })  # fmt: skip
    one, other = [pull_paid(worked, Subject(repository="acme/web", number=n), found) for n in (1, 2)]
    assert sorted((one.fee_nanousd, other.fee_nanousd)) == [25, 26]
    assert one.effective_nanousd == 40 + one.fee_nanousd
    assert other.effective_nanousd == other.fee_nanousd
    assert (one.on_plan_nanousd, other.on_plan_nanousd) == (0, 70)
    assert pull_paid(worked, Subject(repository="acme/web", number=3), found) == Paid()
