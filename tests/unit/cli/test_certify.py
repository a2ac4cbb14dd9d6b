import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.scripted_provider import Running

from bascule.testing.script import ProviderRequest, Script, ScriptedCall

KEYS = {"provider", "preset", "dialect", "origin", "model", "date", "passed", "cost_usd", "checks"}


def answer(request: ProviderRequest) -> Script:
    if "no-such-model" in request.model:
        return Script(status=404, error_message="no such model")
    if request.body.get("tools"):
        return Script(tool_calls=(ScriptedCall("get_weather", {"city": "Paris"}),))
    return Script(output_tokens=5)


@pytest.fixture
def running() -> Iterator[Running]:
    made = Running(answer, ("scripted-small",))
    yield made
    made.stop()


@pytest.fixture
def config(place: Path, running: Running) -> Path:
    (place / "bascule.yaml").write_text(
        f"data_dir: data\n"
        f"providers:\n"
        f"  chat: {{dialect: openai_chat, base_url: '{running.upstream.url()}', api_key: none,"
        f" price: {{input: 1, output: 4}}}}\n"
        f"  claude: {{preset: anthropic, base_url: '{running.upstream.url('anthropic')}', api_key: env:CI_KEY,"
        f" price: {{input: 1, output: 4}}}}\n"
        f"  command: {{dialect: cohere, base_url: '{running.upstream.url('cohere')}', api_key: env:CI_KEY,"
        f" price: {{input: 1, output: 4}}}}\n"
        f"  aws: {{dialect: bedrock_converse, base_url: '{running.upstream.url('bedrock')}', api_key: env:CI_KEY,"
        f" price: {{input: 1, output: 4}}}}\n"
        f"  dark: {{dialect: openai_chat, base_url: '{running.upstream.url()}', api_key: none}}\n"
    )
    return place


@pytest.mark.parametrize("provider", ["chat", "claude", "command", "aws"])
def test_a_sound_provider_is_certified(run: Any, config: Path, running: Running, provider: str) -> None:
    found = run("certify", provider, "--model", "scripted-small", "--json")
    assert found.code == 0, found.out + found.err
    assert set(found.json) == KEYS
    assert [check["name"] for check in found.json["checks"]] == ["unknown model", "whole answer", "stream", "tool call"]
    assert all(check["passed"] for check in found.json["checks"])
    assert found.json["checks"][0]["cost_usd"] == "0.000000000"
    stand = {p["name"]: p["standing"] for p in run("check", "--json").json["providers"]}
    assert stand[provider] == f"certified {found.json['date']}"
    # What it cost is in the ledger.
    rows = [json.loads(line) for line in run("ledger", "export").out.splitlines()]
    assert len(rows) == 4
    assert {row["tags"]["certify"] for row in rows} == {"true"}
    assert sum(row["cost_nanousd"] for row in rows) > 0
    assert run("report", "--json").json["total"]["cost_usd"] == found.json["cost_usd"]
    assert run("ledger", "verify").code == 0
    assert len(running.upstream.served) == 4


@pytest.mark.parametrize("where", ["endpoint", "model"])
def test_a_configured_model_has_the_price_that_is_configured(
    run: Any, config: Path, running: Running, where: str
) -> None:
    price = "price: {input: 2, output: 8}"
    own, of_model = (f", {price}", "") if where == "endpoint" else ("", f", {price}")
    file = config / "bascule.yaml"
    file.write_text(
        file.read_text()
        + f"models: {{ours: {{endpoints: [{{provider: dark, model: scripted-small{own}}}]{of_model}}}}}\n"
    )
    found = run("certify", "dark", "--json")
    assert found.code == 0, found.out + found.err
    assert found.json["model"] == "scripted-small"
    rows = [json.loads(line) for line in run("ledger", "export").out.splitlines()]
    assert sorted({row["rates"]["output"] for row in rows if row["cost_nanousd"]}) == [8_000_000]


def test_what_does_not_hold_is_named(run: Any, config: Path, running: Running) -> None:
    running.upstream.use(Script(usage_fault="none", output_tokens=5))
    found = run("certify", "chat", "--model", "scripted-small", "--json")
    assert found.code == 1
    said = {check["name"]: (check["passed"], check["what"]) for check in found.json["checks"]}
    assert said["whole answer"] == (False, "no usage reported (estimated)")
    assert said["unknown model"][0] is False
    assert said["tool call"][0] is False
    stand = {p["name"]: p["standing"] for p in run("check", "--json").json["providers"]}
    assert stand["chat"].startswith("failed certification")


def test_nothing_is_sent_that_could_cost_more(run: Any, config: Path, running: Running) -> None:
    found = run("certify", "chat", "--model", "scripted-small", "--max-usd", "0.000001")
    assert found.code == 1
    assert "not sent" in found.out
    # Not even the unknown model was asked for: a provider may answer for it and bill.
    assert running.upstream.served == []


@pytest.mark.parametrize("scope", ["session:*", "tag:certify=true"])
def test_budgets_that_apply_are_kept_and_do_not_fail_a_probe(
    run: Any, config: Path, running: Running, scope: str
) -> None:
    file = config / "bascule.yaml"
    file.write_text(file.read_text() + f"budgets: [{{scope: '{scope}', limit_usd: 0.05, window: total}}]\n")
    found = run("certify", "chat", "--model", "scripted-small", "--json")
    assert found.code == 0, found.out + found.err
    assert [check["passed"] for check in found.json["checks"]] == [True] * 4
    assert run("ledger", "verify").code == 0


def test_a_provider_that_answers_for_any_model_is_billed_for_it(run: Any, config: Path, running: Running) -> None:
    running.upstream.use(Script(output_tokens=5))
    found = run("certify", "chat", "--model", "scripted-small", "--json")
    unknown = found.json["checks"][0]
    assert unknown["passed"] is False
    assert float(unknown["cost_usd"]) > 0


def test_without_a_price_there_is_no_cap(run: Any, config: Path, running: Running) -> None:
    found = run("certify", "dark", "--model", "scripted-small")
    assert found.code == 1
    assert "price" in found.err
    assert running.upstream.served == []


def test_wrong_use(run: Any, config: Path) -> None:
    unknown = run("certify", "nobody")
    assert unknown.code == 1
    assert "chat" in unknown.err
    assert run("certify", "chat", "--max-usd", "much").code == 2
    assert run("certify").code == 2
    nameless = run("certify", "chat")
    assert nameless.code == 1
    assert "--model" in nameless.err
