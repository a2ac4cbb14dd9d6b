"""Every chart is a specification that the converter draws, with the figures that it was given."""

import re
from typing import Any

import pytest

from bascule.cli.drawing import png, svg
from bascule.offline import charts

DAYS = [
    {"day": f"2026-10-{day:02d}", "name": name, "usd": day * usd}
    for day in (1, 2)
    for name, usd in (("big", 3), ("small", 1))
]
BARS = [{"name": "big", "usd": 12.0, "label": "12.00"}, {"name": "small", "usd": 3.0, "label": "3.00"}]
RUNS = [{"name": "review", "p10": 0.1, "p50": 0.4, "p90": 3.0}]
MOVES = [{"name": "people", "low": 80.0, "high": 160.0}]
POINTS = [{"date": "2024-01-01", "usd": 10.0, "name": "one"}, {"date": "2025-01-01", "usd": 1.0, "name": "two"}]
FIT = [{"date": point["date"], "usd": point["usd"], "low": 0.5, "high": 20.0} for point in POINTS]

DRAWN: list[tuple[dict[str, Any], set[str], int]] = [
    (charts.spend_over_time(DAYS), {"Spend by day", "big", "small"}, 4),
    (charts.spend_by(BARS, title="By model"), {"By model", "12.00", "3.00"}, 2),
    (charts.spread(RUNS), {"review"}, 2),
    (
        charts.waterfall(("2026-09", 10.0), [("users", 4.0), ("price", -2.5)], ("2026-10", 11.5), title="Why"),
        {"2026-09", "10.00", "+4.00", "-2.50", "11.50"},
        4,
    ),
    (charts.tornado(MOVES, base_usd=100.0, title="Moves"), {"people"}, 2),
    (charts.decline(POINTS, FIT), {"one", "two"}, 2),
]


@pytest.mark.parametrize(
    ("spec", "words", "marks"), DRAWN, ids=lambda value: value["title"] if isinstance(value, dict) else ""
)
def test_a_chart_is_drawn_with_its_words_and_marks(spec: dict[str, Any], words: set[str], marks: int) -> None:
    drawn = svg(spec)
    assert words <= set(re.findall(r">([^<>]+)</text>", drawn))
    assert len(re.findall(r'aria-roledescription="(?:bar|tick|point)"', drawn)) >= marks
    assert "http" not in re.sub(r'"http://www\.w3\.org/[^"]*"', "", drawn)
    assert png(spec).startswith(b"\x89PNG")


def test_a_waterfall_floats_each_part_where_the_last_one_ended() -> None:
    spec = charts.waterfall(("a", 10.0), [("up", 4.0), ("down", -2.5)], ("b", 11.5), title="")
    assert [(value["from"], value["to"]) for value in spec["data"]["values"]] == [
        (0.0, 10.0), (10.0, 14.0), (14.0, 11.5), (0.0, 11.5),
    ]  # fmt: skip
