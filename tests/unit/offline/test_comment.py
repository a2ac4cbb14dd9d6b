"""The comment's Markdown: what others wrote stays in its place, and its size has a bound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.model.sums import Sums
from bascule.offline.comment import MARKER, comment, gate, marker, money, name_text, short
from bascule.offline.junit import JunitResults, read_junit
from bascule.offline.pull_cost import Line, PullCost, Subject, compared


def a_cost(cost: int | None = 1_230_000_000, *, unknown: int = 0, names: tuple[str, ...] = ("m",)) -> PullCost:
    sums = Sums(requests=2, attempts=3, cost_nanousd=cost, tokens_in=10, tokens_cache_read=30, tokens_out=5)
    return PullCost(
        subject=Subject(repository="acme/web", number=12),
        cost_nanousd=cost,
        shared_nanousd=0,
        shared_with=(),
        sums=sums,
        models=tuple([Line(name=name, sums=sums) for name in names]),
        agents=(Line(name=None, sums=sums),),
        sessions=("s1",),
        latency_p50_ms=1_000,
        latency_p95_ms=2_000,
        from_logs=False,
        estimated_nanousd=0,
        plan_nanousd=0,
        unknown=unknown,
        state="unknown",
        others=compared(cost or 0, [1, 2, 3], "other pull requests of acme/web"),
        tests=None,
    )


@given(st.text())
def test_a_name_can_neither_leave_its_span_nor_its_cell(name: str) -> None:
    text = name_text(name)
    assert text[0] == text[-1] == "`"
    inside = text[1:-1]
    assert "`" not in inside
    assert "\n" not in inside
    assert "|" not in inside
    assert len(inside) <= 80


@given(st.lists(st.text(min_size=1), min_size=1, max_size=30))
def test_every_row_of_a_table_has_its_cells(names: list[str]) -> None:
    body = comment(a_cost(names=tuple(names)), gate(None, a_cost()), key="acme/web")
    assert body.startswith(MARKER)
    assert body.count(MARKER) == 1
    assert len(body) < 65_536
    rows = [line for line in body.splitlines() if line.startswith(("| `", "| main"))]
    assert rows
    assert {row.count("|") for row in rows} == {8}


def test_a_key_cannot_end_the_marker() -> None:
    assert marker("acme/web --> <b>@x") == f"{MARKER}<!-- bascule-key: acme/web-bx -->"


@pytest.mark.parametrize(
    ("cost", "unknown", "limit", "found"),
    [
        (5, 0, None, "none"),
        (5, 0, 5, "passed"),
        (6, 0, 5, "failed"),
        (5, 1, 5, "unknown"),
        (6, 1, 5, "failed"),
        (None, 0, 5, "unknown"),
        (0, 0, 0, "passed"),
    ],
)
def test_the_gate(cost: int | None, unknown: int, limit: int | None, found: str) -> None:
    assert gate(limit, a_cost(cost, unknown=unknown)).gate == found


def test_amounts() -> None:
    assert [money(n) for n in (0, 1, 58_350_000, 999_999_999, 1_234_500_000_000, -2_500_000_000)] == [
        "$0.00", "$0.000000001", "$0.058", "$1.00", "$1,234.50", "-$2.50",
    ]  # fmt: skip
    assert [short(n) for n in (0, 999, 1_000, 999_949, 999_950, 12_345_678)] == [
        "0", "999", "1.0 k", "999.9 k", "1.0 M", "12.3 M",
    ]  # fmt: skip


def test_junit_as_it_is_written() -> None:
    document = b"""<?xml version="1.0"?><testsuites><testsuite tests="99" failures="0">
    <testcase time="0.5"/><testcase time="1,000.25"><failure>x</failure><error/></testcase>
    <testcase><skipped/></testcase><testcase><system-out>failure</system-out></testcase></testsuite></testsuites>"""
    found = read_junit(document)
    assert found == JunitResults(passed=2, failed=1, skipped=1, seconds=1000.75)
    assert found.plus(read_junit(b"<testsuite/>")) == found


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b"", "not XML"),
        (b"<testsuites>", "not XML"),
        (b"<html/>", "its root is <html>"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><testsuites/>', "document type"),
    ],
)
def test_what_is_no_junit(document: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_junit(document)
