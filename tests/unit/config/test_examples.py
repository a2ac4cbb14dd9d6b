"""The examples load, link and do what they say."""

from pathlib import Path

import pytest

from bascule.config.load import load_file
from bascule.config.rules import FACT_SAMPLES
from bascule.config.secret import Secret
from bascule.link import Snapshot, link
from bascule.prices.book import PriceBook

EXAMPLES = Path(__file__).parents[3] / "examples"
TABLE = {  # task: tier for cost, balanced, quality
    "classification": "flash flash sonnet",
    "extraction": "flash flash sonnet",
    "summarization": "flash sonnet opus",
    "code_generation": "sonnet sonnet opus",
    "analysis": "sonnet opus opus",
    "writing": "sonnet opus opus",
    "reasoning": "sonnet opus opus",
    "security_audit": "opus opus opus",
    "": "opus opus opus",
    "something else": "opus opus opus",
}


class AnySecret:
    """Every secret is there, each another one."""

    def read(self, reference: str) -> Secret | None:
        return None if reference == "none" else Secret(f"secret of {reference}".encode())


def linked(name: str) -> Snapshot:
    return link(load_file(EXAMPLES / name), PriceBook(), AnySecret())


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_links_without_a_warning(path: Path) -> None:
    snapshot = linked(path.name)
    assert snapshot.warnings == ()
    for model in snapshot.models.values():
        assert model.endpoints[0].prices is not None, f"no price for {model.name}"


@pytest.mark.parametrize("task", list(TABLE))
def test_the_routing_table(task: str) -> None:
    snapshot = linked("routing-table.yaml")
    for priority, tier in zip(("cost", "balanced", "quality"), TABLE[task].split(), strict=True):
        route = snapshot.routes[priority]
        rule = snapshot.first_rule(route, {**FACT_SAMPLES, "task": task, "has_image": False})
        chosen = route.candidates if rule is None or rule.candidates is None else rule.candidates
        assert chosen == (tier,)
        image = snapshot.first_rule(route, {**FACT_SAMPLES, "task": task, "has_image": True})
        assert image is not None
        assert image.candidates == ("pro",)
