"""Revenue from a file: exact, by month, and every mistake with its line."""

import pytest
from tests.unit.offline.spending import USD, at

from bascule.model.errors import ConfigError
from bascule.offline.revenue import Revenue, read_revenue

CSV = """unit,usd,month,usd_per_month
acme,1200.50,2026-10,
acme,99.5,2026-11,
globex,,,31
# a remark
"initech, inc",7,,
"""
OCTOBER = (at("2026-10-01"), at("2026-11-01"))


def test_amounts_by_month_a_price_a_month_and_an_amount_of_the_period() -> None:
    found = read_revenue(CSV, "r.csv")
    assert found.of_unit("acme", None, *OCTOBER) == 1_200_500_000_000
    assert found.of_unit("acme", None, at("2026-10-01"), at("2026-12-01")) == 1300 * USD
    assert found.of_unit("globex", None, *OCTOBER) == 31 * USD
    assert found.of_unit("globex", None, at("2026-10-01"), at("2026-10-11")) == 10 * USD
    assert found.of_unit("globex", None, at("2026-09-16"), at("2026-11-01")) == round(46.5 * USD)
    assert found.of_unit("initech, inc", None, *OCTOBER) == 7 * USD
    assert found.of_unit("nobody", None, *OCTOBER) is None
    assert found.of_unit("acme", None, at("2026-01-01"), at("2026-02-01")) == 0


def test_yaml_says_the_same_and_a_plan_has_a_price() -> None:
    rows = (
        "{unit: acme, usd: 0.1, month: 2026-10}",
        "{plan: pro, usd_per_month: 20}",
        "{plan: free, usd_per_month: 0}",
    )
    text = "revenue:\n" + "".join([f"  - {row}\n" for row in rows])
    found = read_revenue(text, "r.yaml")
    assert found.of_unit("acme", "pro", *OCTOBER) == 100_000_000
    assert found.of_unit("other", "pro", *OCTOBER) == 20 * USD
    assert found.of_unit("other", "free", *OCTOBER) == 0
    assert found.of_unit("other", None, *OCTOBER) is None


def problems(text: str, file: str = "r.csv") -> list[tuple[str, str]]:
    with pytest.raises(ConfigError) as error:
        read_revenue(text, file)
    assert all(problem.remedy for problem in error.value.problems)
    return [(problem.where, problem.what) for problem in error.value.problems]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("acme,$5,", "the amount of `acme` is not a number"),
        ("acme,-5,", "the amount of `acme` is a negative amount"),
        ("acme,0.0000000001,", "the amount of `acme` is finer than a nano-dollar"),
        ("acme,,", "`acme` has no one amount"),
        ("acme,5,2026-13", "`2026-13` is not a month"),
        ("acme,5,2026-10-01", "`2026-10-01` is not a month"),
        (",5,", "does not say whose it is"),
    ],
)
def test_a_mistake_is_told_by_its_line(line: str, what: str) -> None:
    assert problems(f"unit,usd,month\nfine,1,\n\n{line}\n") == [("r.csv:4", what)]


def test_all_mistakes_are_told_at_once() -> None:
    found = problems("unit,usd\na,x\nb,1\nc,1,200\n")
    assert [where for where, _ in found] == ["r.csv:2", "r.csv:4"]
    assert problems("unit,usd_per_month\na,1\na,2\n") == [("r.csv:3", "`a` has a second price a month")]


def test_a_file_that_is_something_else() -> None:
    assert problems("customer,amount\na,1\n") == [("r.csv:1", "has a column 'customer'")]
    assert problems("") == [("r.csv:1", "does not begin with the names of its columns, each once")]
    assert problems("unit,usd\n") == [("r.csv", "has no amounts")]
    ((where, _),) = problems("revenue:\n  - {unit: a, usd: 1}\n  - {unit: b, usd: x}\n", "r.yaml")
    assert where.startswith("r.yaml:3")


def test_nothing_is_a_float_on_the_way() -> None:
    found: Revenue = read_revenue("unit,usd\na,0.1\na,0.2\n", "r.csv")
    assert found.of_unit("a", None, *OCTOBER) == 300_000_000
