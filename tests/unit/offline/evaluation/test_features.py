from typing import Any

import pytest

from bascule.dialects.matrix import shipped_matrix
from bascule.model.catalog import Endpoint, Model
from bascule.model.matrix import Cell, Matrix
from bascule.model.row import AttemptRow
from bascule.offline.evaluation.features import OF_USE, Gap, gaps, translation_gaps, use_of


def row(name: str, **more: Any) -> AttemptRow:
    told: dict[str, Any] = {"kind": "settle", "chain": "", "tokens_in": 100, "tokens_out": 10} | more
    return AttemptRow(attempt_id=f"att_{name}.1", request_id=name, attempt_no=1, ts_start_ms=0, **told)


def model(**more: Any) -> tuple[Model, Endpoint]:
    endpoint = Endpoint(id="p/m", provider="p", dialect="openai_chat", upstream_model="m")
    return Model(name="m", endpoints=(endpoint,), **more), endpoint


ROWS = [row("a", tokens_cache_read=900, dialect_in="openai_chat"), row("b", tokens_out=500, tokens_reasoning=500),
        row("c", tokens_in=50_000)]  # fmt: skip
FACTS: dict[str, dict[str, Any]] = {"a": {"tools": 3, "images": 1}, "b": {"tools": 1, "json_schema": True}}


def found(made: list[Gap]) -> dict[str, tuple[str, int, int]]:
    return {gap.feature: (gap.standing, gap.requests, gap.of) for gap in made}


def test_what_traffic_uses() -> None:
    use = use_of(ROWS, FACTS)
    assert (use.requests, use.decided) == (3, 2)
    assert use.features == {"image": 1, "tools": 2, "json_schema": 1, "prompt_cache": 1}
    assert use.most_tokens == 50_010


@pytest.mark.parametrize(
    ("more", "gap"),
    [
        ({"tools": False}, {"tools": ("lost", 2, 2)}),
        ({"tools": True, "json_schema": True, "input": ("text", "image"), "context_window": 100_000}, {}),
        ({"tools": True, "json_schema": True, "input": ("text", "image")}, {"context": ("unknown", 3, 3)}),
        ({"context_window": 20_000}, {"context": ("lost", 1, 3), "tools": ("unknown", 2, 2)}),
        ({"max_output": 800}, {"output": ("lost", 1, 3), "image": ("lost", 1, 2)}),
    ],
)
def test_what_a_model_lacks(more: dict[str, Any], gap: dict[str, tuple[str, int, int]]) -> None:
    made = found(gaps(use_of(ROWS, FACTS), *model(**more)))
    assert made.items() >= gap.items()
    if not gap:
        assert made == {}
    assert "reasoning" not in made, "nobody used it"


def test_what_translation_loses_is_told_only_where_it_may_have_been_used() -> None:
    kept = {"text": "kept", "tools": "kept", "JSON schema": "kept", "end user": "kept", "stop sequence": "lost"}
    less = {"text": "kept", "tools": "refused", "JSON schema": "lost", "end user": "lost", "stop sequence": "lost"}
    cells = (Cell(client="c", provider="before", features=kept), Cell(client="c", provider="after", features=less))
    matrix = Matrix(asked=tuple(kept), answered=(), cells=cells)
    use = use_of([row("a", dialect_in="c"), row("b", dialect_in="c")], {"a": {"tools": 2}, "b": {}})
    made = found(translation_gaps(use, "before", "after", matrix))
    # Tools are used by one of two; no schema was asked for; whether an end user was named, nobody knows.
    assert made == {"tools": ("unknown", 1, 2), "end user": ("unknown", 2, 2)}
    unseen = found(translation_gaps(use_of([row("a", dialect_in="c")], {}), "before", "after", matrix))
    assert set(unseen) == {"tools", "JSON schema", "end user"}


def test_the_matrix_of_this_release_has_the_features_that_use_tells_of() -> None:
    asked = set(shipped_matrix().asked)
    assert {feature for features in OF_USE.values() for feature in features} <= asked
