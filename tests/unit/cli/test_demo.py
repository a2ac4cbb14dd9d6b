"""What can be told of the demo without running it; `tests/acceptance/test_demo.py` runs it."""

import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.cli.conftest import Bookkeeper, Run

from bascule.cli.data import read_names
from bascule.cli.demonstration import hints
from bascule.cli.demonstration.counted import compare
from bascule.cli.demonstration.scenario import TRIAL_KEY, conversations
from bascule.cli.demonstration.simulated import BAD_MINUTE, MODELS, TROUBLED_MODEL, simulation, trouble_mark
from bascule.cli.demonstration.story import kinds_of_failure
from bascule.cli.demonstration.workspace import KEYS, Workspace
from bascule.model.usage import Usage
from bascule.offline.catalog import configured_lines
from bascule.offline.dimensions import blended_rate
from bascule.testing.simulation import Simulation

NOW = 1_795_262_400_000
UNPRICED = "lab-model"


def configured(folder: Path) -> Workspace:
    place = Workspace(folder)
    place.prepare()
    place.configure(40_000)
    return place


def test_the_same_seed_is_the_same_traffic() -> None:
    assert conversations(7) == conversations(7)
    assert conversations(7) != conversations(8)


@pytest.mark.parametrize("seed", [1, 2026])
def test_traffic_has_all_that_the_story_tells_of(seed: int) -> None:
    found = conversations(seed)
    texts = [turn.text for conversation in found for turn in conversation.turns]
    assert 300 <= sum(conversation.requests for conversation in found) <= 500
    assert {conversation.sdk for conversation in found} == {"openai", "anthropic"}
    assert {conversation.key for conversation in found} == set(KEYS)
    assert {conversation.stream for conversation in found} == {True, False}
    assert any(conversation.tools for conversation in found)
    assert all(any(trouble_mark(name) in text for text in texts) for name, _ in BAD_MINUTE)
    assert sum(conversation.key == TRIAL_KEY for conversation in found) == 1


def test_the_simulation_is_one_and_has_an_answer_for_everything() -> None:
    made = msgspec.json.decode(simulation(), type=Simulation)
    assert made.answers[-1].when == ""
    assert {trouble.model for trouble in made.troubles} == {TROUBLED_MODEL}
    assert {trouble.script.fault or trouble.script.status for trouble in made.troubles} >= {503, 500, "hang_before"}


def test_all_models_but_the_lab_s_have_list_prices_and_the_baseline_is_the_dearest(tmp_path: Path) -> None:
    snapshot = read_names(str(configured(tmp_path).config))
    assert snapshot is not None
    lines = {line.model: line for line in configured_lines(snapshot, NOW, None)}
    assert {line.upstream_model for line in lines.values()} == set(MODELS)
    rates = {name: blended_rate(line.rates) for name, line in lines.items()}
    assert rates.pop(UNPRICED) is None
    assert all(line.price_source not in (None, "config") for name, line in lines.items() if name != UNPRICED)
    known = {name: rate for name, rate in rates.items() if rate is not None}
    assert known.keys() == rates.keys()
    assert snapshot.config.baseline is not None
    assert max(known, key=lambda name: known[name]) == snapshot.config.baseline.model
    assert {provider.origin for provider in snapshot.providers.values()} == {"http://127.0.0.1:40000"}


def test_secrets_are_new_each_time_and_for_their_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, two = configured(tmp_path / "one"), configured(tmp_path / "two")
    assert one.secrets().keys() == set(KEYS)
    assert not set(one.secrets().values()) & set(two.secrets().values())
    assert one.secret_file(TRIAL_KEY).stat().st_mode & 0o077 == 0


def test_without_the_sdks_it_says_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    monkeypatch.delitem(sys.modules, "bascule.cli.demonstration.traffic", raising=False)
    result = run("demo", "--once")
    assert result.code == 1
    assert "pip install 'bascule[demo]'" in result.err


def test_a_folder_with_something_in_it_is_left_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    result = run("demo", "--once", "--dir", str(tmp_path))
    assert result.code == 1
    assert "not empty" in result.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def a_settlement(response_id: str) -> dict[str, Any]:
    return {"upstream_request_id": response_id}


def test_the_other_side_is_compared_token_by_token(book: Bookkeeper) -> None:
    usage = Usage(tokens_in=80, tokens_cache_read=20, tokens_out=10, source="reported")
    book.attempt(usage=usage, settlement=a_settlement("a"))
    wrong = book.attempt(usage=usage, settlement=a_settlement("b"))
    missing = book.attempt(usage=usage, settlement=a_settlement("c"))
    book.attempt(usage=Usage(tokens_in=1, source="estimated"), settlement=a_settlement("d"))
    served: list[dict[str, Any]] = [
        {"response_id": "a", "usage": {"prompt_tokens": 100, "completion_tokens": 10}},
        {
            "response_id": "b",
            "usage": {
                "input_tokens": 81,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 20,
                "output_tokens": 10,
            },
        },
        {"response_id": "d", "usage": None},
    ]
    found = compare(book.store.view.attempts(), served)
    assert (found.exchanges, found.attempts, found.compared) == (3, 4, 3)
    assert set(found.differing) == {wrong, missing}
    assert not found.agrees


def test_failures_are_told_once_by_kind(book: Bookkeeper) -> None:
    for number, (status, error) in enumerate([(503, "overloaded"), (500, "server_error"), (503, "overloaded")]):
        failed = {"status": status, "error_class": error}
        book.attempt(request=f"req_{number}", no=1, settlement=failed, start=NOW + number)
    rows = list(book.store.view.attempts())
    found = kinds_of_failure([(row,) for row in rows])
    assert [(attempts[0].status, count) for attempts, count in found] == [(503, 2), (500, 1)]


def test_agents_logs_are_seen_where_there_are_any(tmp_path: Path) -> None:
    assert hints.agent_logs(tmp_path) == []
    (tmp_path / ".claude" / "projects").mkdir(parents=True)
    assert hints.agent_logs(tmp_path) == []
    (tmp_path / ".claude" / "projects" / "shop").mkdir()
    assert hints.agent_logs(tmp_path) == ["claude-code"]
