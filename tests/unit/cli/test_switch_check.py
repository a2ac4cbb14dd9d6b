import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.live_traffic import traffic
from tests.unit.cli.scripted_provider import Running

from bascule.testing.script import ProviderRequest, Script

KEYS = {
    "from", "to", "since", "until", "verdict", "reason", "cases_needed", "cases_still_needed", "margin", "method",
    "quality", "models", "cost", "latency", "features", "breaks", "traffic", "sample", "run", "judge_usd", "stopped",
}  # fmt: skip


def answer(request: ProviderRequest) -> Script:
    said = json.dumps(request.body.get("messages"))
    if request.model == "judge":
        return Script(text=json.dumps({"reason": "as told", "verdict": verdict(said)}))
    if request.model == "big":
        return Script(text="the careful answer", cached_tokens=4)
    said = json.dumps(request.body)
    return Script(text="meh" if "hard" in said else "the careful answer")


def verdict(said: str) -> str:
    if "meh" not in said:
        return "tie"
    return "first" if said.index("careful") < said.index("meh") else "second"


@pytest.fixture
def running() -> Iterator[Running]:
    made = Running(answer, ("big", "small", "judge"))
    yield made
    made.stop()


CONFIG = """
data_dir: data
privacy: {{record_content: full, encryption: "off"}}
providers: {{p: {{dialect: openai_chat, base_url: '{url}', api_key: none, data: {{training: false}}}},
            q: {{dialect: openai_chat, base_url: '{url}', api_key: none}}}}
models:
  big: {{endpoints: [{{provider: p, model: big}}], max_output: 4000, context_window: 100000, tools: true,
        price: {{input: 3, output: 15, cache_read: 0.3}}}}
  small: {{endpoints: [{{provider: p, model: small}}], max_output: 4000, context_window: 100000, tools: false,
          price: {{input: 0.3, output: 1.5, cache_read: 0.03}}}}
  loose: {{endpoints: [{{provider: q, model: small}}], price: {{input: 0.3, output: 1.5}}}}
  judge: {{endpoints: [{{provider: p, model: judge}}], max_output: 4000, price: {{input: 0.1, output: 0.5}}}}
keys: {{ci: {{secret: "env:CI_KEY", data: {{training: false}}}}}}
"""


@pytest.fixture
def config(place: Path, running: Running) -> Path:
    (place / "bascule.yaml").write_text(CONFIG.format(url=running.upstream.url()))
    return place


def rows(run: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run("ledger", "export").out.splitlines()]


def test_recorded_requests_are_asked_again_and_compared_blind(run: Any, config: Path, running: Running) -> None:
    traffic([f"easy {number}" for number in range(14)] + [f"hard {number}" for number in range(6)])
    found = run("switch-check", "big", "small", "--judge", "judge", "--json")
    assert found.code == 0, found.out + found.err
    document = found.json
    assert set(document) == KEYS
    assert document["quality"]["cases"] == 20
    assert (document["quality"]["better"], document["quality"]["worse"]) == (0, 6)
    assert document["quality"]["mean"] == -0.3
    assert document["verdict"] == "keep"
    assert len(document["breaks"]) == 6
    assert document["sample"] == {"drawn": 20, "sessions": 20, "left": {}}
    # The ledger's own requests at the prices of both, cached ones as cached; neither evaluation nor judge among them.
    assert document["cost"]["requests"] == 20
    listed = [row for row in rows(run) if row["model"] == "big"]
    assert len(listed) == 20
    assert float(document["cost"]["from_usd"]) == pytest.approx(sum([row["cost_nanousd"] for row in listed]) / 1e9)
    assert float(document["cost"]["to_usd"]) == pytest.approx(float(document["cost"]["from_usd"]) / 10, abs=1e-7)
    # No content of users was written anywhere.
    assert not (config / "data" / "evals" / "answers").exists()
    assert "careful" not in "".join([path.read_text() for path in (config / "data" / "evals").glob("*.jsonl")])
    assert ("content.evaluate", "big") in [(e["action"], e["target"]) for e in run("audit", "list", "--json").json]
    text = run("switch-check", "big", "small", "--judge", "judge", "--gate")
    assert text.code == 3
    assert text.out.startswith("KEEP: big -> small.")


@pytest.mark.parametrize(
    ("dialect", "vendor"),
    [("anthropic_messages", "anthropic"), ("openai_responses", "responses"), ("gemini", "gemini")],
)
def test_requests_of_every_client_are_asked_again_of_models_of_another_dialect(
    run: Any, config: Path, running: Running, dialect: str, vendor: str
) -> None:
    file = config / "bascule.yaml"
    text = file.read_text().replace(
        "p: {dialect: openai_chat, base_url: '" + running.upstream.url(),
        "v: {dialect: " + dialect + ", base_url: '" + running.upstream.url(vendor) + "', api_key: none,"
        " data: {training: false}},\n            p: {dialect: openai_chat, base_url: '" + running.upstream.url(),
    )
    file.write_text(text.replace("{provider: p, model: big}", "{provider: v, model: big}"))
    traffic(["easy 1", "easy 2", "hard 3", "hard 4"], dialect)
    found = run("switch-check", "big", "small", "--judge", "judge", "--json")
    assert found.code == 0, found.out + found.err
    assert found.json["sample"] == {"drawn": 4, "sessions": 4, "left": {}}
    assert (found.json["quality"]["cases"], found.json["quality"]["worse"]) == (4, 2)


def test_of_a_session_one_request_is_drawn(run: Any, config: Path, running: Running) -> None:
    traffic(["easy"] * 5, prompt_cache_key="one-session")
    document = run("switch-check", "big", "small", "--judge", "judge", "--json").json
    assert document["sample"] == {"drawn": 1, "sessions": 1, "left": {}}
    assert document["cost"]["requests"] == 5


def test_a_run_may_take_its_cases_from_recordings(run: Any, config: Path, running: Running) -> None:
    traffic(["easy 1", "easy 2", "hard 3", "hard 4"])
    found = run("eval", "run", "--recorded", "big", "--models", "small,big", "--judge", "judge", "--json")
    assert found.code == 0, found.err
    made = {one["model"]: one for one in found.json["models"]}
    assert (made["small"]["quality"], made["big"]["quality"]) == (0.25, 0.5), "ties are a half, what lost is nothing"
    assert [result["answer"] for result in run("eval", "report", "--json").json["results"]] == [None] * 8
    again = run("eval", "run", "--recorded", "big", "--models", "small,big", "--judge", "judge", "--resume", "--json")
    assert again.json["resumed"] == 8, "the same traffic gives the same cases"
    assert run("eval", "run", "--recorded", "small", "--models", "big", "--judge", "judge").code == 1


def test_few_cases_decide_nothing_and_say_how_many_would(run: Any, config: Path, running: Running) -> None:
    traffic([f"easy {number}" for number in range(6)])
    document = run("switch-check", "big", "small", "--judge", "judge", "--json").json
    assert document["verdict"] == "not_enough_evidence"
    assert document["cases_still_needed"] == document["cases_needed"] - 6 > 0


def test_what_a_key_asks_of_whoever_sees_its_content_holds_again(run: Any, config: Path, running: Running) -> None:
    traffic(["easy 1", "easy 2"])
    before = len(running.upstream.served)
    document = run("switch-check", "big", "loose", "--judge", "judge", "--json").json
    assert document["quality"] is None
    assert len(running.upstream.served) == before, "that provider may train on it, or nobody says that it does not"


def test_without_recordings_or_judge_only_quality_is_unknown(run: Any, config: Path, running: Running) -> None:
    file = config / "bascule.yaml"
    file.write_text(file.read_text().replace("record_content: full", "record_content: none"))
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
    traffic(["easy 1", "easy 2", "easy 3"], tools=tools)
    document = run("switch-check", "big", "small", "--json").json
    assert document["verdict"] == "not_enough_evidence"
    assert document["quality"] is None
    assert document["cost"]["requests"] == 3
    (gap,) = [gap for gap in document["features"] if gap["feature"] == "tools"]
    assert (gap["standing"], gap["requests"], gap["of"]) == ("lost", 3, 3)
    refused = run("switch-check", "big", "small", "--judge", "judge")
    assert refused.code == 1
    assert "record" in refused.err


def test_a_suite_needs_no_traffic(run: Any, config: Path, running: Running) -> None:
    cases = [f'  - {{id: c{n}, prompt: "easy {n}", expected: the careful answer}}' for n in range(40)]
    (config / "suite.yaml").write_text("defaults: {max_tokens: 50}\ncases:\n" + "\n".join(cases) + "\n")
    document = run("switch-check", "big", "small", "--suite", "suite.yaml", "--margin", "0.1", "--json").json
    assert document["verdict"] == "switch", document["reason"]
    assert document["cost"]["requests"] == 0
    assert document["cost"]["ratio"] == pytest.approx(0.1, abs=0.02)
    assert set(document["latency"]) == {"big", "small"}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("big", "big"), 2, "same model"),
        (("big", "nothing"), 1, "nothing"),
        (("big", "small", "--margin", "0"), 2, "margin"),
    ],
)
def test_wrong_use(run: Any, config: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    found = run("switch-check", *arguments)
    assert found.code == code
    assert said in found.err
