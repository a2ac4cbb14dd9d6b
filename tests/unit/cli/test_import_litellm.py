"""`bascule import litellm`: what it writes passes `bascule check`, and holds no secret."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.test_import_accounts import FakeApi, fake  # noqa: F401

FIXTURES = Path(__file__).parents[2] / "fixtures" / "litellm"
VARIABLES = ("AZURE_API_KEY", "OPENAI_API_KEY_2", "ANTHROPIC_API_KEY", "GROQ_API_KEY", "BASCULE_ADMIN",
             "BASCULE_KEY_CI_RUNNER", "BASCULE_KEY_SK_9999", "BASCULE_KEY_ODD")  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HIDDEN_BASE", raising=False)
    return tmp_path


def test_what_it_writes_passes_check_once_its_variables_are_set(
    run: Any, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = run("import", "litellm", str(FIXTURES), "--out", "made.yaml")
    assert found.code == 0, found.err
    for number, name in enumerate(VARIABLES):
        monkeypatch.setenv(name, f"a-secret-of-more-than-thirty-characters-{number}")
    checked = run("check", "-c", "made.yaml")
    assert checked.code == 0, checked.err
    assert "gpt-4o  azure/gpt-4o-eu" in checked.out
    assert "team:platform  month   $2,000.0000" in checked.out
    assert run("check", "-c", "made.yaml", "--json").code == 0
    assert "not-to-be-seen" not in found.out + found.err + (here / "made.yaml").read_text()
    assert "sk-master" not in (here / "made.yaml").read_text()


def test_the_yaml_alone_is_on_standard_output(run: Any, here: Path) -> None:
    found = run("import", "litellm", str(FIXTURES / "config.yaml"))
    assert found.out.startswith("# Made from LiteLLM's settings")
    assert "Set OPENAI_API_KEY_2: the key that stands in the clear" in found.err
    assert "Not taken: model_list[6].litellm_params.model: Bedrock" in found.err
    assert [path.name for path in here.iterdir()] == [], "a configuration is no ledger"


def test_spend_alone_is_imported_once(run: Any, here: Path) -> None:
    first = run("import", "litellm", str(FIXTURES / "spend.jsonl"), "--json").json
    assert first["yaml"] is None
    spend = first["spend"]
    assert (spend["rows"], spend["rows_new"], spend["cost_as_told_rows"], spend["bad_lines"]) == (4, 4, 1, 1)
    again = run("import", "litellm", str(FIXTURES / "spend.jsonl"), "--json").json["spend"]
    assert (again["rows_new"], again["rows_same"]) == (0, 4)
    kept = [json.loads(line) for line in run("ledger", "export").out.splitlines()]
    assert {row["origin"] for row in kept} == {"litellm"}


def test_a_table_as_csv_is_the_same_rows(run: Any, here: Path) -> None:
    lines = [json.loads(line) for line in (FIXTURES / "spend.jsonl").read_text().splitlines()[:4]]
    columns = ["request_id", "call_type", "api_key", "spend", "prompt_tokens", "completion_tokens", "startTime",
               "endTime", "completionStartTime", "model", "model_group", "custom_llm_provider", "user", "metadata",
               "cache_hit", "request_tags", "team_id", "end_user", "session_id", "status"]  # fmt: skip
    with (here / "spend.csv").open("w", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(columns)
        for line in lines:
            cells = [line.get(name, "") for name in columns]
            out.writerow([cell if isinstance(cell, str | int | float) else json.dumps(cell) for cell in cells])
    run("import", "litellm", str(FIXTURES / "spend.jsonl"))
    spend = run("import", "litellm", "spend.csv", "--json").json["spend"]
    assert (spend["rows_new"], spend["rows_same"]) == (0, 4)


def test_a_dry_run_writes_nothing(run: Any, here: Path) -> None:
    found = run("import", "litellm", str(FIXTURES), "--out", "made.yaml", "--dry-run")
    assert found.code == 0
    assert "nothing written" in found.out
    assert list(here.iterdir()) == []


def test_live(run: Any, here: Path, fake: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setenv("LITELLM_MASTER_KEY", "sk-master")
    keys = json.loads((FIXTURES / "keys.json").read_text())
    first, second = ({**keys, "keys": part, "total_pages": 2} for part in (keys["keys"][:1], keys["keys"][1:]))
    spend = [json.loads(line) for line in (FIXTURES / "spend.jsonl").read_text().splitlines()[:4]]
    fake.answer("/model/info", {"data": [{"model_name": "m", "litellm_params": {"model": "openai/gpt-5.4-mini"},
                                          "model_info": {"id": "1"}}]})  # fmt: skip
    fake.answer("/key/list", first)
    fake.answer("/key/list", second)
    fake.answer("/team/list", [{"team_id": "team-1", "team_alias": "platform"}])
    fake.answer("/spend/logs/v2", {"data": spend, "total": 4, "page": 1, "total_pages": 1})
    found = run("import", "litellm", "--live", "--url", fake.url, "--since", "2026-11-01", "--json")
    assert found.code == 0, found.err
    assert found.json["sections"] == {"providers": 1, "models": 1, "keys": 3, "budgets": 1}
    assert (found.json["spend"]["rows"], found.json["spend"]["bad_lines"]) == (4, 0)
    assert [one.path for one in fake.asked] == ["/model/info", "/key/list", "/key/list", "/team/list", "/spend/logs/v2"]
    assert dict(fake.asked[2].query) == {"return_full_object": "true", "size": "100", "page": "2"}
    assert dict(fake.asked[4].query)["start_date"] == "2026-11-01 00:00:00"
    assert {one.headers["authorization"] for one in fake.asked} == {"Bearer sk-master"}


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [("hello: 1", "x.yaml", "neither LiteLLM's configuration"), ("{", "x.json", "neither JSON nor JSON Lines"),
     ('{"a": 1}', "x.json", "neither LiteLLM's configuration"), ("a: [", "x.yaml", "not YAML"), ("", "x.csv", "empty")],
)  # fmt: skip
def test_other_files_are_named_and_the_status_is_1(run: Any, here: Path, content: str, name: str, said: str) -> None:
    (here / name).write_text(content)
    found = run("import", "litellm", name)
    assert found.code == 1
    assert said in found.err


@pytest.mark.parametrize("options", [(), ("--live",), ("--url", "https://x", "f.yaml")])
def test_wrong_use(run: Any, here: Path, options: tuple[str, ...]) -> None:
    assert run("import", "litellm", *options).code == 2
