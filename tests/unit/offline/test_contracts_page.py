"""The examples of docs/contracts.md are what the program reads."""

import re
from pathlib import Path

from bascule.config.load import load_text
from bascule.offline.revenue import read_revenue

PAGE = Path(__file__).parents[3].joinpath("docs/contracts.md").read_text()


def block(kind: str) -> str:
    (text,) = re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    return str(text)


def test_the_contracts_are_without_a_mistake() -> None:
    document = load_text(block("yaml"), "contracts.md")
    assert document.problems == ()
    assert len(document.config.contracts) == 5


def test_the_revenue_is_read() -> None:
    found = read_revenue(block("csv"), "revenue.csv")
    assert set(found.units) == {"acme", "globex"}
    assert set(found.plans) == {"pro", "free"}
