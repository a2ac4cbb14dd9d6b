"""docs/providers.md is what the presets say."""

from pathlib import Path

from bascule.providers.registry import NAMES
from bascule.providers.table import providers_page

PAGE = Path(__file__).parents[3] / "docs" / "providers.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == providers_page(), "run: python -m bascule.providers.table > docs/providers.md"


def test_every_preset_is_in_both_tables() -> None:
    for name in NAMES:
        assert providers_page().count(f"| `{name}` |") == 2
