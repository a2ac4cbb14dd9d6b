import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.live_traffic import traffic
from tests.unit.cli.scripted_provider import Running

from bascule.testing.script import ProviderRequest, Script

ANSWERS = {
    "good": {"6 times 7": "42", "capital": "Paris", "json": '{"city": "Rome"}', "pick": "a long and careful answer"},
    "poor": {"6 times 7": "41", "capital": "Paris", "json": "Rome, I think", "pick": "meh"},
}
RUN_KEYS = {
    "run", "suite", "source", "at", "judge", "cases", "file", "max_usd", "models", "comparisons", "stopped", "resumed",
    "isolated", "gates",
}  # fmt: skip
MODEL_KEYS = {
    "model", "cases", "graded", "broken", "ungraded", "unanswered", "passed", "quality", "quality_low", "quality_high",
    "cost_usd", "cost_per_case_usd", "judge_usd", "latency_p50_ms", "latency_p95_ms", "cut", "inconsistent", "by_task",
}  # fmt: skip
SUITE = """
name: little
defaults: {max_tokens: 50}
cases:
  - {id: sum, prompt: "What is 6 times 7?", expected: 42, grader: {type: numeric}, task: math}
  - {id: city, prompt: "What is the capital of France?", expected: Paris, task: facts}
  - id: shape
    prompt: "Answer in json"
    task: extraction
    grader:
      type: json_schema
      schema: {type: object, required: [city], properties: {city: {type: string}}}
"""


def answer(request: ProviderRequest) -> Script:
    said = json.dumps(request.body["messages"])
    if request.model == "judge":
        return Script(text=verdict(said))
    found = [text for asked, text in ANSWERS[request.model].items() if asked in said]
    return Script(text=found[0] if found else "no idea")


def verdict(said: str) -> str:
    """Likes what is long, wherever it stands."""
    if "begin answer" in said:
        return json.dumps({"reason": "as it is", "score": 9 if "careful" in said else 2})
    return json.dumps(
        {"reason": "longer", "verdict": "first" if said.index("careful") < said.index("meh") else "second"}
    )


@pytest.fixture
def running() -> Iterator[Running]:
    made = Running(answer, ("good", "poor", "judge"))
    yield made
    made.stop()


@pytest.fixture
def suite(place: Path, running: Running) -> Path:
    (place / "bascule.yaml").write_text(
        f"data_dir: data\n"
        f"providers: {{p: {{dialect: openai_chat, base_url: '{running.upstream.url()}', api_key: none}}}}\n"
        f"models:\n"
        f"  good: {{endpoints: [{{provider: p, model: good}}], price: {{input: 1, output: 4}}, max_output: 4000}}\n"
        f"  poor: {{endpoints: [{{provider: p, model: poor}}], price: {{input: 0.1, output: 0.4}}, max_output: 4000}}\n"
        f"  judge: {{endpoints: [{{provider: p, model: judge}}], price: {{input: 1, output: 4}}, max_output: 4000}}\n"
        f"  dark: {{endpoints: [{{provider: p, model: good}}]}}\n"
        f"routes: {{auto: {{candidates: [poor, good]}}}}\n"
        f"baseline: {{model: good}}\n"
    )
    path = place / "suite.yaml"
    path.write_text(SUITE)
    return path


def rows(run: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run("ledger", "export").out.splitlines()]


def by_model(document: Any) -> dict[str, Any]:
    return {made["model"]: made for made in document["models"]}


def test_models_are_asked_graded_and_compared(run: Any, suite: Path, running: Running) -> None:
    found = run("eval", "run", str(suite), "--models", "good,poor", "--json")
    assert found.code == 0, found.out + found.err
    document = found.json
    assert set(document) == RUN_KEYS
    made = by_model(document)
    assert set(made["good"]) == MODEL_KEYS
    assert (made["good"]["quality"], made["poor"]["quality"]) == (1.0, 0.3333)
    assert made["good"]["quality_low"] < 0.9, "three cases are few"
    assert set(made["good"]["by_task"]) == {"math", "facts", "extraction"}
    (versus,) = document["comparisons"]
    assert versus["difference"]["mean"] == -0.6667
    assert (versus["difference"]["better"], versus["difference"]["worse"]) == (0, 2)
    # What it cost is what the ledger has, under the run's tag.
    listed = rows(run)
    assert len(listed) == 6
    assert {row["tags"]["eval"] for row in listed} == {document["run"]}
    assert {row["task"] for row in listed} == {"math", "facts", "extraction"}
    assert {row["session_id"] for row in listed} == {f"eval-{document['run']}"}
    assert {row["saved_nanousd"] for row in listed} == {None}, "asking a cheap model for a test saves nothing"
    cost = {name: sum([row["cost_nanousd"] for row in listed if row["model"] == name]) for name in ("good", "poor")}
    assert all(round(float(made[name]["cost_usd"]) * 1e9) == cost[name] > 0 for name in cost)
    assert run("ledger", "verify").code == 0


def test_what_was_answered_is_not_paid_again(run: Any, suite: Path, running: Running) -> None:
    first = run("eval", "run", str(suite), "--models", "good", "--json").json
    second = run("eval", "run", str(suite), "--models", "good", "--json").json
    assert len(running.upstream.served) == 3
    assert second["run"] != first["run"]
    assert by_model(second)["good"]["cost_usd"] == by_model(first)["good"]["cost_usd"]
    # Another prompt is another request, and --fresh asks all again.
    suite.write_text(SUITE.replace("What is 6", "Tell me: what is 6"))
    run("eval", "run", str(suite), "--models", "good", "--json")
    assert len(running.upstream.served) == 4
    run("eval", "run", str(suite), "--models", "good", "--fresh", "--json")
    assert len(running.upstream.served) == 7
    # A route may choose another model each time.
    run("eval", "run", str(suite), "--models", "auto", "--json")
    run("eval", "run", str(suite), "--models", "auto", "--json")
    assert len(running.upstream.served) == 13


def many(suite: Path, count: int = 12) -> None:
    cases = [f'  - {{id: c{number}, prompt: "{number}: What is 6 times 7?", expected: 42}}' for number in range(count)]
    suite.write_text("defaults: {max_tokens: 50}\ncases:\n" + "\n".join(cases) + "\n")


def test_the_cap_holds_and_a_run_goes_on(run: Any, suite: Path, running: Running) -> None:
    """A hold is about 300,000 nano-USD, an answer costs about 25,000: what is held and not spent comes back."""
    many(suite)
    found = run("eval", "run", str(suite), "--models", "good", "--max-usd", "0.0004", "--json")
    assert found.code == 1
    assert "--resume" in found.err
    document = found.json
    assert document["stopped"]
    spent = sum([row["cost_nanousd"] for row in rows(run)])
    assert 0 < spent <= 400_000
    done = by_model(document)["good"]["graded"]
    assert 0 < done < 12
    # With no more money nothing more is asked; with more only what is left.
    again = run("eval", "run", str(suite), "--models", "good", "--max-usd", "0.0004", "--resume", "--json")
    assert again.code == 1
    assert again.json["run"] == document["run"]
    assert again.json["resumed"] == done
    assert sum([row["cost_nanousd"] for row in rows(run)]) <= 400_000
    whole = run("eval", "run", str(suite), "--models", "good", "--resume", "--json")
    assert whole.code == 0, whole.err
    assert by_model(whole.json)["good"]["graded"] == 12
    assert len(running.upstream.served) == 12


def test_a_torn_file_goes_on(run: Any, suite: Path, running: Running) -> None:
    first = run("eval", "run", str(suite), "--models", "good,poor", "--fresh", "--json").json
    path = Path(first["file"])
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:3]) + lines[3][:20])
    found = run("eval", "run", str(suite), "--models", "good,poor", "--fresh", "--resume", "--json")
    assert found.code == 0, found.err
    assert found.json["resumed"] == 2
    assert by_model(found.json)["poor"]["graded"] == 3
    assert len(running.upstream.served) == 6 + 4


def test_nothing_to_resume_is_said(run: Any, suite: Path) -> None:
    found = run("eval", "run", str(suite), "--models", "good", "--resume")
    assert found.code == 1
    assert "no run of these cases" in found.err


def test_judges_score_and_compare_in_both_orders(run: Any, suite: Path, running: Running) -> None:
    suite.write_text(
        """
cases:
  - {id: alone, prompt: "pick one", grader: {type: judge, criteria: "Is it thorough?"}}
  - {id: pair, prompt: "pick two", grader: {type: pairwise, against: poor}}
  - {id: bare, prompt: "pick three"}
"""
    )
    missing = run("eval", "run", str(suite), "--models", "good,poor")
    assert missing.code == 1
    assert "--judge" in missing.err
    found = run("eval", "run", str(suite), "--models", "good,poor", "--judge", "judge", "--json")
    assert found.code == 0, found.out + found.err
    results = {(one["case"], one["model"]): one for one in run("eval", "report", "--json").json["results"]}
    assert results["alone", "good"]["score"] == 0.9
    assert results["alone", "poor"]["passed"] is False
    assert (results["pair", "good"]["score"], results["pair", "good"]["consistent"]) == (1.0, True)
    assert results["pair", "poor"]["score"] == 0.5
    assert results["bare", "good"]["grader"] == "judge"
    judged = [row for row in rows(run) if "eval_judge" in row["tags"]]
    assert len(judged) == 6
    assert sum([row["cost_nanousd"] for row in judged]) == sum(
        [round(float(one["judge_usd"]) * 1e9) for one in results.values()]
    )
    for request in running.upstream.served:
        if request.model == "judge":
            assert "tools" not in request.request_body
            assert "good" not in json.dumps(request.request_body["messages"])


def test_an_output_contract_is_kept_or_not(run: Any, suite: Path, running: Running) -> None:
    suite.write_text(
        """
defaults:
  grader:
    {type: output_contract, objective: Tell the price, max_words: 8, forbidden: [guaranteed], from_request: true,
     judge: true}
cases:
  - {id: kept, prompt: "The price is 1,200 dollars. A"}
  - {id: judged, prompt: "The price is 1,200 dollars. B"}
  - {id: claimed, prompt: "The price is 1,200 dollars. C"}
"""
    )

    def echo(request: ProviderRequest) -> Script:
        if request.model == "judge":
            return answer(request)
        told = {"A": "It is $1200, a careful price", "B": "It is $1200", "C": "It is $1300"}
        return Script(text=told[request.body["messages"][-1]["content"][-1]])

    running.upstream.use(echo)
    assert "--judge" in run("eval", "run", str(suite), "--models", "good").err
    found = run("eval", "run", str(suite), "--models", "good", "--judge", "judge", "--json")
    assert found.code == 0, found.out + found.err
    results = {one["case"]: one for one in run("eval", "report", "--json").json["results"]}
    assert (results["kept"]["score"], results["kept"]["passed"]) == (0.9, True)
    assert (results["judged"]["score"], results["judged"]["passed"]) == (0.2, False)
    assert (results["claimed"]["score"], results["claimed"]["passed"]) == (pytest.approx(2 / 3), False)
    assert "$1300" in results["claimed"]["reason"]
    assert results["claimed"]["judge_usd"] == "0.000000000", "a judge is not asked about what breaks a rule"


def test_a_grader_of_the_users_own(run: Any, suite: Path, running: Running, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("SECRET_OF_OURS", "x")
    (tmp_path / "mine.py").write_text(
        "import os\n"
        "def grade(case, answer):\n"
        "    print('noise')\n"
        "    assert 'SECRET_OF_OURS' not in os.environ\n"
        "    return (0.25, case['id']) if 'careful' in answer else True\n"
        "def slow(case, answer):\n"
        "    while True: pass\n"
        "def large(case, answer):\n"
        "    return len('x' * (1 << 31))\n"
        "def far(case, answer):\n"
        "    import socket\n"
        f"    return socket.socket().connect_ex(('127.0.0.1', {running.upstream.port})) != 0\n"
        "def wrong(case, answer):\n"
        "    return 7\n"
    )
    suite.write_text(
        """
cases:
  - {id: quarter, prompt: "pick", grader: {type: python, file: mine.py}}
  - {id: slow, prompt: "pick", grader: {type: python, file: mine.py, function: slow, timeout_s: 0.5}}
  - {id: large, prompt: "pick", grader: {type: python, file: mine.py, function: large}}
  - {id: far, prompt: "pick", grader: {type: python, file: mine.py, function: far}}
  - {id: wrong, prompt: "pick", grader: {type: python, file: mine.py, function: wrong}}
  - {id: absent, prompt: "pick", grader: {type: python, file: mine.py, function: absent}}
"""
    )
    found = run("eval", "run", str(suite), "--models", "good", "--json")
    assert found.code == 0, found.out + found.err
    results = {one["case"]: one for one in run("eval", "report", "--json").json["results"]}
    assert (results["quarter"]["score"], results["quarter"]["reason"]) == (0.25, "quarter")
    # Where the system lets the network be taken away it is gone, and where not that is said.
    assert results["far"]["passed"] is found.json["isolated"]
    told = {name: one["reason"] for name, one in results.items() if one["outcome"] == "ungraded"}
    assert set(told) == {"slow", "large", "wrong", "absent"}
    assert "longer than 0.5 s" in told["slow"]
    assert "MemoryError" in told["large"]
    assert "not from 0 to 1" in told["wrong"]
    assert "absent" in told["absent"]


def test_what_a_model_cannot_do_is_no_quality_and_what_it_did_not_get_is_unknown(
    run: Any, suite: Path, running: Running
) -> None:
    def one(request: ProviderRequest) -> Script:
        said = json.dumps(request.body["messages"])
        if "capital" in said:
            return Script(status=400, error_message="cannot")
        if "json" in said:
            return Script(status=500, error_message="down")
        return answer(request)

    running.upstream.use(one)
    found = run("eval", "run", str(suite), "--models", "good", "--json", "--min-quality", "0.4")
    made = by_model(found.json)["good"]
    assert (made["graded"], made["broken"], made["unanswered"]) == (1, 1, 1)
    assert made["quality"] == 0.5
    running.upstream.use(answer)
    again = run("eval", "run", str(suite), "--models", "good", "--resume", "--json").json
    assert by_model(again)["good"]["unanswered"] == 0
    assert by_model(again)["good"]["graded"] == 2


def test_gates_and_failures(run: Any, suite: Path, tmp_path: Path) -> None:
    found = run(
        "eval",
        "run",
        str(suite),
        "--models",
        "good,poor",
        "--min-quality",
        "0.9",
        "--failures",
        "failed.jsonl",
        "--json",
    )
    assert found.code == 3
    assert [(gate["model"], gate["passed"]) for gate in found.json["gates"]] == [("good", True), ("poor", False)]
    cases = [json.loads(line) for line in (tmp_path / "failed.jsonl").read_text().splitlines()]
    assert [case["id"] for case in cases] == ["sum", "shape"]
    again = run("eval", "run", "failed.jsonl", "--models", "poor", "--json")
    assert again.code == 0, again.err
    assert by_model(again.json)["poor"]["quality"] == 0.0
    assert run("eval", "report", found.json["run"], "--min-quality", "0.9", "--certain").code == 3


def test_runs_are_compared(run: Any, suite: Path, running: Running) -> None:
    first = run("eval", "run", str(suite), "--models", "good", "--json").json["run"]
    ANSWERS["good"]["capital"], kept = "Lyon", ANSWERS["good"]["capital"]
    try:
        second = run("eval", "run", str(suite), "--models", "good", "--fresh", "--json").json["run"]
    finally:
        ANSWERS["good"]["capital"] = kept
    found = run("eval", "compare", first, second, "--max-regression", "0.1", "--json")
    assert found.code == 3
    assert set(found.json) == {"first", "second", "same_suite", "comparisons", "gates"}
    assert found.json["same_suite"] is True
    assert found.json["comparisons"][0]["difference"]["mean"] == -0.3333
    assert run("eval", "compare", second, first, "--max-regression", "0.1").code == 0
    assert run("eval", "compare", first).code == 2
    assert run("eval", "compare", first, "none-such").code == 1
    assert "0.333" in run("eval", "compare", first, second).out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--models", "nothing"), "nothing"),
        (("--models", "dark"), "price"),
        (("--models", "good", "--key", "nobody"), "no key"),
        (("--models", "good", "--judge", "nobody"), "nobody"),
    ],
)
def test_what_stands_in_the_way_is_said_first(
    run: Any, suite: Path, running: Running, arguments: tuple[str, ...], said: str
) -> None:
    found = run("eval", "run", str(suite), *arguments)
    assert found.code == 1
    assert said in found.err
    assert running.upstream.served == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("suite.yaml",), "--models"),
        (("--models", "good"), "--recorded"),
        (("suite.yaml", "--recorded", "good", "--models", "poor"), "either"),
        (("suite.yaml", "--models", "good", "--task", "chat"), "--recorded"),
        (("suite.yaml", "--models", "good", "--since", "7d"), "--recorded"),
        (("--recorded", "good", "--models", "poor"), "--judge"),
        (("suite.yaml", "--models", "good", "--max-usd", "much"), "dollars"),
        (("suite.yaml", "--models", "good", "--max-usd", "-1"), "negative"),
    ],
)
def test_wrong_use(run: Any, suite: Path, running: Running, arguments: tuple[str, ...], said: str) -> None:
    found = run("eval", "run", *arguments)
    assert found.code == 2, found.out
    assert said in found.err
    assert running.upstream.served == []


def test_without_a_cap_a_price_need_not_be_known(run: Any, suite: Path) -> None:
    found = run("eval", "run", str(suite), "--models", "dark", "--max-usd", "none", "--json")
    assert found.code == 0, found.err
    made = by_model(found.json)["dark"]
    assert made["quality"] == 1.0
    assert made["cost_usd"] is None, "unknown is not zero"


def test_budgets_of_the_configuration_hold_and_are_counted_in_one_process(
    run: Any, suite: Path, running: Running
) -> None:
    from bascule.storage.claim import claim

    file = suite.parent / "bascule.yaml"
    file.write_text(
        file.read_text() + "keys: {ci: {secret: 'env:CI_KEY', team: ours}}\n"
        "budgets: [{scope: 'team:ours', limit_usd: 0.000001, window: total}]\n"
    )
    found = run("eval", "run", str(suite), "--models", "good", "--key", "ci")
    assert found.code == 1
    assert "stopped" in found.err
    assert running.upstream.served == []
    lock = claim(suite.parent / "data")
    try:
        refused = run("eval", "run", str(suite), "--models", "good", "--key", "ci")
        assert run("eval", "run", str(suite), "--models", "good").code == 0, "no budget applies to nobody"
    finally:
        lock.release()
    assert refused.code == 1
    assert "served by another process" in refused.err


def test_wrong_suites_are_told_whole(run: Any, suite: Path, running: Running) -> None:
    suite.write_text(
        """
cases:
  - {prompt: "a", messages: []}
  - {prompt: "a", grader: {type: regexp, pattern: x}}
  - {prompt: "a", grader: {type: regex, pattern: "("}}
  - {prompt: "a", expect: b}
  - {prompt: "a", grader: {type: python, file: nowhere.py}}
  - {id: twice, prompt: "a", expected: b}
  - {id: twice, prompt: "b", expected: b}
"""
    )
    found = run("eval", "run", str(suite), "--models", "good")
    assert found.code == 2
    assert [int(line.split(":")[1]) for line in found.err.splitlines()[:-1]] == [3, 4, 5, 6, 7, 9]
    assert running.upstream.served == []


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_the_output_cap_has_the_name_that_the_provider_knows(
    run: Any, suite: Path, running: Running, name: str
) -> None:
    file = suite.parent / "bascule.yaml"
    file.write_text(file.read_text().replace("api_key: none", f"api_key: none, max_tokens_field: {name}"))
    assert run("eval", "run", str(suite), "--models", "good").code == 0
    for served in running.upstream.served:
        assert {key: value for key, value in served.request_body.items() if key.startswith("max_")} == {name: 50}


def test_what_is_known_of_quality(run: Any, suite: Path, running: Running) -> None:
    file = suite.parent / "bascule.yaml"
    file.write_text(file.read_text().replace("max_output: 4000}\n  judge", "max_output: 4000, quality: 0.9}\n  judge"))
    cases = [f'  - {{id: c{n}, prompt: "{n}: What is 6 times 7?", expected: 42, task: math}}' for n in range(30)]
    suite.write_text("defaults: {max_tokens: 50}\ncases:\n" + "\n".join(cases) + "\n")
    for _ in range(2):
        assert run("eval", "run", str(suite), "--models", "good,poor").code == 0
    found = {(one["model"], one["task"]): one for one in run("eval", "quality", "--json").json}
    assert set(found["good", "math"]) == {
        "model", "task", "snapshot", "quality", "low", "high", "measured", "live", "declared", "source", "refuted",
        "followed", "asked_again",
    }  # fmt: skip
    assert found["good", "math"]["measured"] == 30, "who asks twice has not learned twice"
    assert 0.7 < found["good", "math"]["low"] < found["good", "math"]["quality"] < 1
    assert found["poor", "math"]["high"] < 0.3
    assert found["poor", None]["declared"] == 0.9
    # Somebody says that a client's answer was of no use; what is said of the runs themselves is nothing of the kind.
    traffic(["Hello"], model="good")
    live = next(row for row in rows(run) if row["tags"] is None)
    ran = next(row for row in rows(run) if row["tags"] is not None)
    for row in (live, ran):
        assert run("outcome", row["session_id"], "useless").code == 0
    after = {(one["model"], one["task"]): one for one in run("eval", "quality", "--json").json}
    assert after["good", "chat"]["live"] == 1
    assert after["good", "math"]["live"] == 0
    assert after["good", "chat"]["quality"] < after["good", "math"]["quality"]
    text = run("eval", "quality", "--yaml").out
    assert text.startswith("models:\n  good:\n    quality: {math: 0.")
    assert "math" in run("eval", "quality", "--model", "good").out


def test_what_a_suite_asks_of_a_route_is_no_traffic_to_earn(run: Any, suite: Path, running: Running) -> None:
    file = suite.parent / "bascule.yaml"
    earning = "evidence: {incumbent: good, challengers: [poor], shadow_share: 1, graders: {contains: [x]}}"
    file.write_text(
        file.read_text().replace("{candidates: [poor, good]}", "{candidates: [poor, good], " + earning + "}")
    )
    assert run("check").code == 0
    found = run("eval", "run", str(suite), "--models", "auto", "--json")
    assert found.code == 0, found.err
    assert by_model(found.json)["auto"]["graded"] == 3
    assert {row["role"] for row in rows(run)} == {"primary"}
    assert len(running.upstream.served) == 3


def test_users_who_ask_again_are_counted_and_no_more(run: Any, suite: Path, running: Running) -> None:
    file = suite.parent / "bascule.yaml"
    file.write_text(file.read_text().replace("max_output: 4000}\n  poor", "max_output: 4000, quality: 0.9}\n  poor"))
    asked = "How do I sort a python list of dates?"
    turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": "So."}]
    for last in ("Python: sort a list of dates, how?", "And now a list of numbers, from the largest"):
        traffic([last], model="good", messages=[*turns, {"role": "user", "content": last}])
    before = run("eval", "quality", "--json").json
    assert before[0]["followed"] == 1
    assert before[0]["asked_again"] == 0, "the second of the two asks for something else"
    traffic([asked], model="good", messages=[*turns, {"role": "user", "content": asked}])
    (after,) = run("eval", "quality", "--json").json
    assert (after["followed"], after["asked_again"]) == (2, 1)
    assert after["quality"] == before[0]["quality"] == 0.9
    text = run("eval", "quality").out
    assert "Users who asked again" in text
    assert "50.0%" in text
