"""The examples of docs/calculators.md are read by what it describes."""

import re
from fractions import Fraction
from pathlib import Path

from bascule.offline.plan import read_plan
from bascule.offline.plan_bill import plan_bill
from bascule.offline.tco import total_usd
from bascule.offline.tco_file import read_tco
from bascule.offline.workloads import ModelPrice

PAGE = (Path(__file__).parents[3] / "docs" / "calculators.md").read_text(encoding="utf-8")
PLAN, ASSUMPTIONS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_plan_of_the_page_has_a_bill() -> None:
    plan = read_plan(PLAN, "plan.yaml")

    def price_of(model: str, tokens_in: Fraction) -> ModelPrice:
        return plan.prices[model]

    made = plan_bill(plan, price_of)
    assert made.mix is not None
    assert made.combined is not None
    assert made.combined.low.after_usd < made.combined.high.after_usd < made.combined.low.before_usd
    assert (
        made.usd.low == made.tasks_usd.low + made.agents_usd.low + Fraction(10_000) * made.pipelines[0].usd_per_task.low
    )


def test_the_assumptions_of_the_page_have_a_total() -> None:
    tco = read_tco(ASSUMPTIONS, "assumptions.yaml")
    [buy] = tco.choices
    tokens = 6 * 1500 * 12 * (1 + Fraction("1.26") + Fraction("1.26") ** 2)
    assert total_usd(buy, tco.years, tco.values("base")) == tokens + 3 * 37_500 + 20_000
