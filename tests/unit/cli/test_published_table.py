"""The figures that the calculators are tested with are those of the published table, where that is at hand."""

from fractions import Fraction

from ruamel.yaml import YAML
from tests.unit.cli.calculator_figures import AGENTS, ARTICLES, CONTENT, ESTIMATES, MIX, SELF_HOSTING, STATED

F = Fraction


def test_the_figures_are_those_of_the_published_table() -> None:
    table = YAML(typ="safe", pure=True).load(ARTICLES.read_text())
    agents = [
        (row["agent"], row["per_day"], F(str(row["usd"])), row["published"]) for row in table["background_agents"]
    ]
    assert agents == [(name, count, F(usd), month) for name, count, usd, month in AGENTS]
    mix = table["routing_result"]["mix"]
    tasks = [(row["task"], row["calls"], F(str(row["usd_per_call"])), row["computed"]) for row in mix]
    assert tasks == [(task, calls, F(usd), month) for task, calls, _, usd, month in MIX]
    saves = {name: found for name, found in table["optimisations"].items() if name != "combined_published"}
    assert {name: (F(low), F(high)) for name, (low, high) in STATED.items()} == {
        name: tuple([F(str(end)) for end in (found if isinstance(found, list) else [found, found])])
        for name, found in saves.items()
    }
    assert list(table["content_tokens"].values()) == list(CONTENT.values())
    computed = [row["computed"] for row in table["estimates"] if "computed" in row]
    assert computed == [int(row[-1]) for row in ESTIMATES]
    nodes = [(F(str(n["usd_per_hour"])), n["tokens_per_second"], str(n["computed"])) for n in table["self_hosting"]]
    assert nodes == [(F(usd), speed, per_mtok) for _, usd, speed, per_mtok in SELF_HOSTING]
