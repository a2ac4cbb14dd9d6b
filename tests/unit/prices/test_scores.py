from datetime import date

import pytest

from bascule.decide.evidence.finding import Subject
from bascule.decide.evidence.fold import estimate, means
from bascule.prices.scores import public_findings, published_scores

NOW_MS = 1_796_000_000_000
"""2026-11-29"""


def test_every_score_has_its_cases_its_day_and_its_source() -> None:
    table = published_scores()
    assert len(table) >= 1
    for source in table.values():
        assert source.url.startswith("https://")
        names = [(score.model, score.effort) for score in source.scores]
        assert len(names) == len(set(names))
        for score in source.scores:
            assert 0 <= score.passed <= score.cases
            assert date(2024, 1, 1) <= score.date <= source.read


def test_a_model_is_known_by_what_its_provider_calls_it_and_by_nothing_less() -> None:
    models = {"mine": ("openai/GPT-4.1",), "other": ("gpt-4.1-2025-04-14",), "both": ("x", "o3")}
    found = public_findings(models, published_scores())
    assert [(one.subject, one.source) for one in found] == [
        (Subject("mine", "code_edit"), "public"),
        (Subject("both", "code_edit"), "public"),
    ]
    assert found[0].mean == pytest.approx(118 / 225)
    assert found[0].weight == 225.0


def test_it_is_a_weak_word() -> None:
    found = public_findings({"mine": ("o3",)}, published_scores())
    one = estimate(Subject("mine", "code_edit"), found, means(found, NOW_MS), NOW_MS)
    assert one.observations < 10  # 225 cases of a year and a half ago
    assert one.low < 0.55 < one.mean < 0.8
