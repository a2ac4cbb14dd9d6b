"""The report's page in a real Chromium: its charts are drawn, nothing is fetched, nothing complains."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec import structs
from playwright.sync_api import Browser, Page, sync_playwright

from bascule import compose
from bascule.cli import group
from bascule.model.imported import Imported
from bascule.testing.months import pair, rows

pytestmark = pytest.mark.real

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium; install it: apt-get install chromium")
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two months with tasks and projects, and the page of the second by model; beside it `whole.html`, by nothing."""
    folder = tmp_path_factory.mktemp("report")
    config = folder / "bascule.yaml"
    config.write_text(f"data_dir: {folder}/data\n")
    document = compose.read_document(str(config), {})
    store = compose.open_store(compose.data_dir_of(document), document.config)
    months = pair(17)
    for world, month in ((months.before, 9), (months.after(), 10)):
        store.imports.put(
            Imported(
                source="jsonl",
                source_id=row.attempt_id,
                row=structs.replace(
                    row,
                    kind="import",
                    origin="jsonl",
                    attempt_id=f"jsonl:{row.attempt_id}",
                    task="review",
                    project=f"of-{row.model}",
                ),
                quality=30,
            )
            for row in rows(world, 2026, month)
        )
    store.imports.close()
    page = folder / "report.html"
    words = ["report", "--month", "2026-10", "--format", "html", "-c", str(config)]
    for more in (["--by", "model", "--out", str(page)], ["--out", str(folder / "whole.html")]):
        result = CliRunner().invoke(group, [*words, *more], catch_exceptions=False)
        assert result.exit_code == 0, result.output
    return page


@pytest.fixture
def shown(browser: Browser, report: Path) -> Iterator[Page]:
    yield from opened(browser, report)


@pytest.fixture
def whole(browser: Browser, report: Path) -> Iterator[Page]:
    yield from opened(browser, report.with_name("whole.html"))


def opened(browser: Browser, report: Path) -> Iterator[Page]:
    """The page, which may not say a word on the console nor ask for anything but itself."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri())
    yield page
    assert complaints == []
    assert [url for url in asked if not url.startswith("data:")] == [report.as_uri()]
    page.close()


def test_charts_are_drawn(shown: Page) -> None:
    are_drawn(shown, 5)  # days, markets, models, runs, bridge


def test_the_page_of_all_has_models_projects_and_the_dearest_sessions(whole: Page) -> None:
    are_drawn(whole, 6)  # projects beside them
    headings = whole.locator("h2").all_inner_texts()
    assert headings[:6] == ["Day by day", "Markets", "In total", "By model", "By project", "Dearest sessions"]
    tables = whole.locator("table")
    assert "of-frontier" in tables.nth(2).inner_text()
    assert tables.nth(3).locator("tbody tr").count() == 10
    whole.set_viewport_size({"width": 420, "height": 800})
    assert whole.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def are_drawn(shown: Page, count: int) -> None:
    charts = shown.locator("figure svg")
    assert charts.count() == count
    for place in range(charts.count()):
        box = charts.nth(place).bounding_box()
        assert box is not None
        assert box["width"] > 300
        assert box["height"] > 40
    drawn = shown.locator('[aria-roledescription="bar"]').evaluate_all(
        "marks => marks.filter(mark => mark.getBBox().width > 1 && mark.getBBox().height > 1).length"
    )
    assert drawn > 40


def test_the_figures_stand_beside_the_charts(shown: Page) -> None:
    text = shown.inner_text("body")
    for heading in ("Day by day", "Markets", "By model", "Runs of the same task", "Why the bill changed"):
        assert heading in text
    tiles = shown.locator(".tile").all_inner_texts()
    assert any("USD at list price" in tile for tile in tiles)
    table = shown.locator("table").first.inner_text()
    assert "frontier" in table
    assert "total" in table


def test_nothing_is_wider_than_the_page(shown: Page) -> None:
    shown.set_viewport_size({"width": 420, "height": 800})
    assert shown.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
