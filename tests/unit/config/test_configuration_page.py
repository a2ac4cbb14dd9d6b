"""docs/configuration.md says something of every field, and what is true of the shape."""

from pathlib import Path

from bascule.config.reference import anchor, configuration_page, found_sections
from bascule.config.shape import Config

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == configuration_page(), "run make docs"


def test_every_field_has_a_meaning() -> None:
    rows = [line for line in configuration_page().splitlines() if line.startswith("| `")]
    assert len(rows) > 150
    assert [row for row in rows if row.endswith("|  |")] == []


def test_every_section_is_there_once_and_every_link_leads_to_one() -> None:
    text = configuration_page()
    places = [place for place, _ in found_sections()]
    assert places[0] == ""
    assert {"server.limits", "models.NAME.endpoints[]", "providers.NAME.price.tiers[]", "keys.NAME.rate"} <= set(places)
    assert len(places) == len(set(places)) == text.count("\n## ")
    anchors = {anchor(place) for place in places}
    linked = {part.partition(")")[0] for part in text.split("](#")[1:]}
    assert linked <= anchors
    assert {name for name in Config.__struct_encode_fields__ if f"\n## `{name}" in text} >= {"server", "cache", "retry"}
