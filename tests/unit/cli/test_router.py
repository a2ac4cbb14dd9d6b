"""`bascule router`: from files of outcomes to a model file, and from it to decisions."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.learned.outcome_files import written


@pytest.fixture
def model(run: Any, tmp_path: Path) -> Path:
    written(tmp_path, "mine", prompts=300)
    written(tmp_path, "few", prompts=20)
    trained = run("router", "train", "--data", f"{tmp_path}", "--sets", "mine,few", "--out", f"{tmp_path / 'm.npz'}")
    assert trained.code == 0, trained.err
    return tmp_path / "m.npz"


def test_what_is_learned_is_told_with_its_gain_and_its_error(run: Any, model: Path) -> None:
    mine, few = run("router", "status", "--model", f"{model}", "--json").json["sets"]
    assert mine["policy"] in ("singles", "chains")
    assert any(gain["gain"] > gain["error"] > 0 for gain in mine["gains"])
    assert (few["policy"], few["why"]) == ("zero", "20 prompts are fewer than 100")
    assert "mine" in run("router", "status", "--model", f"{model}").out


def test_every_decision_is_written_and_figures_follow_from_what_was_called(
    run: Any, model: Path, tmp_path: Path
) -> None:
    rows = tmp_path / "choices.jsonl"
    where = ("--data", f"{tmp_path}", "--sets", "mine,few", "--model", f"{model}", "--choices", f"{rows}")
    found = run("router", "evaluate", *where, "--json")
    assert found.code == 0, found.err
    mine, few = found.json["sets"]
    made = [json.loads(line) for line in rows.read_text().splitlines()]
    assert set(made[0]) == {"set", "prompt_id", "lambda", "called", "answer_from"}
    assert all(row["answer_from"] in row["called"] for row in made)
    of_mine = [row for row in made if row["set"] == "mine"]
    lambdas = {row["lambda"] for row in of_mine}
    assert len(lambdas) >= 20
    assert {0.0, "inf"} <= lambdas
    assert len(of_mine) == 300 * len(lambdas)
    assert mine["trained_on"] == 300
    assert few["gain"] == pytest.approx(0.0, abs=1e-12)


def test_what_is_not_there_is_said(run: Any, model: Path, tmp_path: Path) -> None:
    where = ("--data", f"{tmp_path}", "--model", f"{model}")
    missing = run("router", "evaluate", *where, "--sets", "none")
    assert missing.code == 1
    assert "sets there: few, mine" in missing.err
    assert run("router", "status", "--model", f"{tmp_path / 'no.npz'}").code == 1
    assert run("router", "evaluate", *where, "--sets", " , ").code == 2
