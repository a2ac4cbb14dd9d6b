"""The page is whole by itself, and nothing that was written elsewhere becomes markup."""

from html.parser import HTMLParser

from bascule.cli.drawing import svg
from bascule.cli.page import Grid, Section, Tile, page
from bascule.offline.charts import spend_by


class Seen(HTMLParser):
    """Tags, ids and words, and whether every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id" and value:
                self.ids.append(value)
            if name in ("src", "href") and value:
                self.links.append(value)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_a_page_has_its_figures_charts_and_tables_and_fetches_nothing() -> None:
    chart = svg(spend_by([{"name": "big", "usd": 3.0, "label": "3.00"}], title="By model"))
    grid = Grid(("model", "usd"), (("big", "3.00"), ("odd <script>alert(1)</script>", None)), frozenset({"model"}))
    sections = [
        Section(heading="One", charts=(chart, chart), grid=grid, notes=("a & b",)),
        Section(heading="Two", charts=(chart,)),
    ]
    seen = Seen(page("October", "2026-10", [Tile("$3.00", "spend")], sections))
    assert seen.tags.count("svg") == 3
    assert "script" not in seen.tags
    assert seen.links == ["data:,"]
    assert {"October", "$3.00", "spend", "odd <script>alert(1)</script>", "–", "a & b", "By model"} <= set(seen.words)
    assert len(seen.ids) == len(set(seen.ids))
