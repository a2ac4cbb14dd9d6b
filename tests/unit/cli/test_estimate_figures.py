"""Published figures, out of their inputs through `bascule estimate`.

What an article says otherwise than its own inputs is noted. Each case is also run with an input moved, and the answer
moves by exactly what follows.
"""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.calculator_figures import AGENTS, CONTENT, ESTIMATES, MIX, PRICES, STATED

D = Decimal


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(document: dict[str, Any], path: str = "plan.yaml") -> str:
    """JSON is YAML."""
    Path(path).write_text(json.dumps(document))
    return path


def own_prices(*names: str) -> dict[str, Any]:
    return {name: {"input": PRICES[name][0], "output": PRICES[name][1]} for name in names or PRICES}


@pytest.mark.parametrize(("name", "tokens_in", "tokens_out", "model", "usd"), ESTIMATES)
@pytest.mark.parametrize("more", [0, 1_000_000])
def test_monthly_estimates(
    run: Any, name: str, tokens_in: int, tokens_out: int, model: str, usd: str, more: int
) -> None:
    price_in, price_out = PRICES[model]
    volumes = ("--input-tokens", str(tokens_in + more), "--output-tokens", str(tokens_out))
    shown = run("estimate", *volumes, "--price-input", price_in, "--price-output", price_out, "--json").json
    assert D(shown["cost_usd"]) == D(usd) + (D(price_in) if more else 0)


def test_all_of_them_as_one_plan(run: Any) -> None:
    tasks = [
        {"task": name, "calls": 1, "model": model, "tokens_in": tokens_in, "tokens_out": tokens_out}
        for name, tokens_in, tokens_out, model, _ in ESTIMATES
    ]
    shown = run("estimate", "--from", write({"prices": own_prices(), "tasks": tasks}), "--json").json
    assert D(shown["cost_usd"]) == 165 + 1650 + 2200 + 33000
    assert [D(row["cost_usd"]) for row in shown["tasks"]["rows"]] == [D(row[-1]) for row in ESTIMATES]


@pytest.mark.parametrize(("name", "tokens"), CONTENT.items())
def test_content_types(run: Any, name: str, tokens: int) -> None:
    per = ("--calls", "1000", "--price-input", "3", "--price-output", "15", "--json")
    read = run("estimate", *per, "--reads", f"{name}=2").json
    assert D(read["cost_usd"]) == D(2 * tokens * 3) / 1000
    written = run("estimate", *per, "--writes", name, "--in-per-call", "100").json
    assert D(written["cost_usd"]) == D(tokens * 15 + 300) / 1000
    assert run("estimate", "--content-types", "--json").json[name]["tokens"] == str(tokens)


def mix_plan(calls_of_standard: int = 350_000) -> dict[str, Any]:
    rows = [{"task": task, "calls": calls, "model": model, "usd_per_call": usd} for task, calls, model, usd, _ in MIX]
    rows[1]["calls"] = calls_of_standard
    baseline = {"model": "claude-opus-4.6", "usd_per_call": "0.45"}
    return {"prices": own_prices(), "baseline": baseline, "tasks": rows}


def test_the_routing_result_and_what_it_saves_like_for_like(run: Any) -> None:
    """Published: 88,400 a month, 74 % less than 450,000. Its own rows give 80.4 %, and the same tokens on the frontier
    model would cost far less than that."""
    shown = run("estimate", "--from", write(mix_plan()), "--json").json["tasks"]
    assert [D(row["cost_usd"]) for row in shown["rows"]] == [row[-1] for row in MIX]
    assert [D(shown["cost_usd"]), D(shown["per_call_usd"])] == [88_400, D("0.0884")]
    assert shown["baseline"] == "claude-opus-4.6"
    stated = shown["all_on_baseline"]
    assert D(stated["cost_usd"]) == 450_000
    assert round(D(stated["saving"]), 4) == D("0.8036")
    like = shown["like_for_like"]
    assert [D(like["cost_low_usd"]), D(like["cost_high_usd"])] == [237_500, 248_750]
    assert (round(D(like["saving_low"]), 3), round(D(like["saving_high"]), 3)) == (D("0.628"), D("0.645"))
    apart = shown["like_for_like_any_split"]
    assert [D(apart["cost_low_usd"]), D(apart["cost_high_usd"])] == [233_750, 252_500]
    text = run("estimate", "--from", "plan.yaml").out
    for words in ("$88,400.00", "$0.0884", "80.4 %", "$237,500.00 to $248,750.00", "62.8 to 64.5 %", "claude-opus-4.6"):
        assert words in text, words


def test_the_routing_result_with_an_input_moved(run: Any) -> None:
    """A thousand more calls on the mid model: 50 dollars more here, 250 on the frontier model whose price is 5x."""
    shown = run("estimate", "--from", write(mix_plan(351_000)), "--json").json["tasks"]
    assert D(shown["cost_usd"]) == 88_450
    assert D(shown["all_on_baseline"]["cost_usd"]) == 450_450
    like = shown["like_for_like"]
    assert [D(like["cost_low_usd"]), D(like["cost_high_usd"])] == [237_750, 249_000]


def test_like_for_like_is_exact_where_the_split_is_known(run: Any) -> None:
    plan = mix_plan()
    for row in plan["tasks"]:
        row["output_cost_share"] = "0.5"
    like = run("estimate", "--from", write(plan), "--json").json["tasks"]["like_for_like"]
    assert D(like["cost_usd"]) == D(237_500 + 248_750) / 2


def test_stated_savings_combine_without_being_counted_twice(run: Any) -> None:
    """Added up they would save 140 to 240 %. What is left after each multiplies: 82.7 to 96.9 % if all of the bill can
    wait for a batch, 65.4 to 93.7 % without batches. The published 60 to 85 % does not say which shares it assumes, so
    it cannot be derived."""
    prices = ("--price-input", "1", "--price-output", "1")
    volumes = ("--input-tokens", "1000000000", "--output-tokens", "0", *prices, "--json")

    def run_with(names: list[str]) -> Any:
        options = [part for name in names for part in ("--saves", f"{name}={'..'.join(STATED[name])}")]
        return run("estimate", *volumes, *options).json["optimisations"]

    for names in (list(STATED), list(STATED)[:-1], list(STATED)[::-1]):
        found = run_with(names)
        for case, end in (("lowest_bill", 1), ("highest_bill", 0)):
            left = D(1000)
            for name in names:
                left *= 1 - D(STATED[name][end])
            shown = found[case]
            assert D(shown["after_usd"]) == left
            assert sum(D(part["part_usd"]) for part in shown["parts"]) == D(shown["saved_usd"]) == 1000 - left
            assert D(shown["alone_sum_usd"]) == 1000 * sum(D(STATED[name][end]) for name in names)
    all_of_them = run_with(list(STATED))
    assert D(all_of_them["highest_bill"]["saving"]) == D("0.8272")
    assert D(all_of_them["lowest_bill"]["saving"]) == D("0.9685")
    no_batch = run_with(list(STATED)[:-1])
    assert D(no_batch["highest_bill"]["saving"]) == D("0.6544")
    assert D(no_batch["lowest_bill"]["saving"]) == D("0.937")


@pytest.mark.parametrize(
    ("provider", "write_multiple", "read_multiple"),
    [("anthropic", "1.25", "0.10"), ("openai", "1.00", "0.50"), ("google", "1.00", "0.25")],
)
def test_prompt_caches_at_the_providers_multiples(
    run: Any, provider: str, write_multiple: str, read_multiple: str
) -> None:
    """A tenth written, eight tenths read, a tenth neither; all of the bill is input."""
    cache = {"kind": "prompt_cache", "share": "0.8", "write_share": "0.1", "read": read_multiple,
             "write": write_multiple}  # fmt: skip
    task = {"task": "t", "calls": 1000, "model": "claude-sonnet-4.6", "tokens_in": 1_000_000}
    plan = {"prices": own_prices("claude-sonnet-4.6"), "tasks": [task], "optimisations": [cache]}
    shown = run("estimate", "--from", write(plan), "--json").json
    assert D(shown["cost_usd"]) == 3000 * (D("0.1") + D("0.8") * D(read_multiple) + D("0.1") * D(write_multiple))


def test_background_agents(run: Any) -> None:
    rows = [{"agent": name, "per_day": count, "usd_per_call": usd} for name, count, usd, _ in AGENTS]
    shown = run("estimate", "--agents", write({"agents": rows}), "--json").json
    assert [D(row["cost_usd"]) for row in shown["agents"]["rows"]] == [row[-1] for row in AGENTS]
    assert D(shown["cost_usd"]) == 765
    rows[0]["per_day"] = 1001
    shown = run("estimate", "--agents", write({"agents": rows}), "--days", "31", "--json").json
    assert D(shown["cost_usd"]) == D(765) / 30 * 31 + D("0.002") * 31


@pytest.mark.parametrize(("name", "per_day", "usd", "month"), AGENTS)
def test_one_background_agent(run: Any, name: str, per_day: int, usd: str, month: int) -> None:
    shown = run("estimate", "--per-day", str(per_day), "--usd-per-check", usd, "--json").json
    assert D(shown["cost_usd"]) == month


@pytest.mark.parametrize(
    ("growth", "change", "low", "high"),
    [
        ("1000%", "-50%", "5.5", "5.5"),  # price halves while use grows by 1,000 %
        ("1100%", "-50%", "6", "6"),
        ("1000%", "0", "11", "11"),
        ("5x..30x", None, "5", "30"),  # agentic work against chat
        ("30x", None, "30", "30"),  # spread between runs of the same agent task
        ("24x", "-50%", "12", "12"),  # global tokens by 2030, at half the price
    ],
)
def test_the_bill_as_a_multiple(run: Any, growth: str, change: str | None, low: str, high: str) -> None:
    options = () if change is None else ("--price-change", change)
    shown = run("estimate", "--volume-growth", growth, *options, "--json").json
    assert (shown["bill_multiple_low"], shown["bill_multiple_high"]) == (low, high)
    assert (shown["bill_multiple"] is None) == (low != high)


def pipeline(run: Any, *steps: dict[str, Any], tasks: int | None = None) -> Any:
    plan = {"prices": own_prices(), "pipelines": [{"pipeline": "p", "tasks": tasks, "steps": list(steps)}]}
    return run("estimate", "--from", write(plan), "--json").json["pipelines"][0]


def test_pipelines_at_the_articles_own_prices_of_a_call(run: Any) -> None:
    """Published: 0.16 for best of 3, 0.06 for generate, verify, regenerate. Neither gives its tokens.

    At the same article's prices of a call (mid 0.05, cheap 0.001, frontier 0.45) the first costs 0.151, so that the
    judge would have to cost 0.01; the second costs 0.06 if exactly one task in fifty fails.
    """
    mid, cheap, frontier = [{"step": s, "usd_per_call": u} for s, u in (("m", "0.05"), ("c", "0.001"), ("f", "0.45"))]
    assert pipeline(run, {**mid, "times": 3}, cheap)["per_task_usd"] == "0.151000000"
    assert pipeline(run, {**mid, "times": 3}, {**cheap, "usd_per_call": "0.01"})["per_task_usd"] == "0.160000000"
    verified = pipeline(run, mid, cheap, {**frontier, "when": "2%"}, tasks=1000)
    assert (verified["per_task_usd"], verified["cost_usd"]) == ("0.060000000", "60.000000000")
    assert pipeline(run, mid, cheap, {**frontier, "when": "3%"})["per_task_usd"] == "0.064500000"
    ranged = pipeline(run, mid, cheap, {**frontier, "when": ["2%", "10%"]})
    assert (ranged["per_task_low_usd"], ranged["per_task_high_usd"]) == ("0.060000000", "0.096000000")


def test_pipelines_from_token_counts(run: Any) -> None:
    generate = {"step": "generate", "model": "claude-sonnet-4.6", "tokens_in": 2000, "tokens_out": 3000, "times": 3}
    judge = {"step": "judge", "model": "gemini-3.1-flash", "tokens_in": 11_000, "tokens_out": 50}
    found = pipeline(run, generate, judge)
    assert D(found["per_task_usd"]) == 3 * D("0.051") + D("0.00112")
    more = pipeline(run, {**generate, "tokens_out": 3001}, judge)
    assert D(more["per_task_usd"]) - D(found["per_task_usd"]) == 3 * D("0.000015")
