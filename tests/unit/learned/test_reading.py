"""Prompts as the predictors see them, offline; outcomes as they lie in files."""

from pathlib import Path

import numpy as np
import pytest
from tests.unit.learned.outcome_files import written

from bascule.learned.embedder import BUCKETS, DIMENSIONS, END_CHARS, Embedder, both_ends
from bascule.learned.features import surface
from bascule.learned.outcomes import NO_ANSWER, BadOutcomes, read


def test_alike_is_near_and_unlike_is_far() -> None:
    sums, total, history = Embedder()(
        ["Add 12 and 30.", "What is 12 plus 30?", "Who was the king of France in 1789?"]
    ).meaning
    assert sums @ total > sums @ history + 0.1


def test_rows_have_length_one_and_nothing_is_zeros() -> None:
    read_now = Embedder()(["some words", ""])
    assert read_now.meaning.shape == (2, DIMENSIONS)
    assert read_now.words.shape == (2, BUCKETS)
    assert np.linalg.norm(read_now.meaning, axis=1) == pytest.approx([1.0, 0.0], abs=1e-5)


def test_of_a_long_prompt_both_ends_are_read() -> None:
    long = "a" * END_CHARS + "middle" * 1000 + "z" * END_CHARS
    assert both_ends(long) == "a" * END_CHARS + "\n" + "z" * END_CHARS


def test_surface_is_bounded_and_tells_prompts_apart() -> None:
    rows = surface(["def f(x): return x", "If 3 of 4 eggs break, how many are left?", "x" * 10**6, ""])
    assert np.isfinite(rows).all()
    assert np.abs(rows).max() < 20
    assert len({tuple(row) for row in rows}) == 4


def test_a_set_is_read_from_its_folder_or_from_dev(tmp_path: Path) -> None:
    written(tmp_path / "dev", "mine", prompts=4)
    found = read(tmp_path, "mine")
    assert found.questions.models == ("cheap", "dear", "fair")
    assert found.quality.shape == (4, 3)
    assert found.questions.labels == ("easy", "hard", "easy", "hard")


def test_an_answer_that_is_empty_is_none(tmp_path: Path) -> None:
    written(tmp_path, "mine", prompts=4, answer="")
    assert (read(tmp_path, "mine").questions.answers == NO_ANSWER).all()


def test_what_cannot_be_read_is_said_by_place(tmp_path: Path) -> None:
    with pytest.raises(BadOutcomes, match="none"):
        read(tmp_path, "mine")
    written(tmp_path, "other", prompts=4)
    with pytest.raises(BadOutcomes, match="sets there: other"):
        read(tmp_path, "mine")
    written(tmp_path, "holes", prompts=4, leave_out=("p1", "dear"))
    with pytest.raises(BadOutcomes, match="'p1' has no quality of dear"):
        read(tmp_path, "holes")
    (tmp_path / "bad_prompts.parquet").write_bytes(b"no parquet")
    with pytest.raises(BadOutcomes, match="bad_prompts"):
        read(tmp_path, "bad")
