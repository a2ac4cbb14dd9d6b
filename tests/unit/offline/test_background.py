from fractions import Fraction

from bascule.offline.background import Commits, count_commits
from bascule.offline.quantity import Span
from bascule.offline.volume import bill_multiple

F = Fraction


def test_commits_and_the_bytes_of_their_diffs() -> None:
    lines = [b"\x01commit\n", b"diff --git a b\n", b"+x\n", b"\x01commit\n", b"-commit\n"]
    found = count_commits(lines, b"\x01commit", F(15))
    assert found == Commits(commits=2, diff_bytes=15 + 3 + 8, days=F(15))
    assert found.per_month() == 4
    assert found.tokens_each(F(1, 4)) == F(26, 8)
    assert Commits(commits=0, diff_bytes=0, days=F(1)).tokens_each(F(1)) is None


def test_a_bill_changes_with_use_and_price() -> None:
    found = bill_multiple(Span(F(10), F(10)), Span(F(-1, 2), F(-1, 4)))
    assert (found.volume, found.bill) == (Span(F(11), F(11)), Span(F("5.5"), F("8.25")))
