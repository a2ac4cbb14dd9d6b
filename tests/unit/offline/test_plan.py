from fractions import Fraction

import pytest

from bascule.model.errors import ConfigError
from bascule.offline.plan import read_plan
from bascule.offline.quantity import Span

F = Fraction

WHOLE = """
content: {contract: 12000, page: 600}
prices:
  big: {input: 15, output: 75, cache_read: 1.5}
baseline: {model: big, usd_per_call: 0.45}
tasks:
  - task: contracts
    calls: [800, 1e3]
    model: big
    reads: {contract: 1, page: [1, 2]}
    tokens_in: 100
    writes: {email: 2}
optimisations:
  - {kind: routing, share: [40%, 0.7], to: big, tasks: [contracts]}
  - {kind: prompt_cache, share: 60%, write_share: 0.1, read: 0.1, write: 1.25}
pipelines:
  - {pipeline: p, tasks: 5, steps: [{step: s, model: big, tokens_in: 1, times: 3, when: 2%}]}
agents:
  - {agent: a, per_day: 1000, usd_per_call: 0.002}
days: 31
"""


def test_a_plan_is_read_exactly() -> None:
    plan = read_plan(WHOLE, "plan.yaml")
    [task] = plan.workloads
    assert task.calls == Span(F(800), F(1000))
    assert task.tokens_in == Span(F(12_700), F(13_300))
    assert task.tokens_out == Span(F(400), F(400))
    assert plan.prices["big"].cache_read == F(3, 2)
    assert plan.prices["big"].cache_write is None
    assert plan.optimisations[0].share == Span(F(2, 5), F(7, 10))
    assert plan.optimisations[1].write_share == Span(F(1, 10), F(1, 10))
    assert (plan.pipelines[0].steps[0].when.low, plan.agents[0].check.calls.low) == (F(1, 50), 1000)  # type: ignore[comparison-overlap]
    assert (plan.baseline, plan.baseline_usd_per_call, plan.days) == ("big", Span(F("0.45"), F("0.45")), F(31))


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("tasks:\n  - {task: a, calls: 1, model: m}", "2:5", "neither tokens nor a cost"),
        ("tasks:\n  - {task: a, calls: 1, model: m, tokens_in: 1, usd_per_call: 1}", "2:5", "both tokens and a cost"),
        ("tasks:\n  - {task: a, calls: 1, tokens_in: 1}", "2:5", "names no model"),
        ("tasks:\n  - {task: a, calls: [2, 1], usd_per_call: 1}", "2:22", "begins with its lower end"),
        ("tasks:\n  - {task: a, calls: [1, 2, 3], usd_per_call: 1}", "2:22", "two ends, not 3"),
        ("tasks:\n  - {task: a, calls: -1, usd_per_call: 1}", "2:22", "is negative"),
        ("tasks:\n  - {task: a, calls: many, usd_per_call: 1}", "2:22", "not a number"),
        ("tasks:\n  - {task: a, calls: 1, model: m, reads: {pages: 1}}", "2:50", "Did you mean `page`?"),
        ("tasks:\n  - {task: a, cals: 1, usd_per_call: 1}", "2:15", "Did you mean `calls`?"),
        ("optimisations:\n  - {kind: cashing, share: 1}", "2:12", "is none of the choices"),
        ("optimisations:\n  - {kind: batch, share: 1.2}", "2:26", "above 1"),
        ("optimisations:\n  - {kind: routing, share: 1}", "2:5", "where calls are routed"),
        ("optimisations:\n  - {kind: batch}", "2:5", "`share` and `saves`"),
        ("tasks: [{task: a, calls: 1, usd_per_call: 1}]\noptimisations:\n  - {kind: batch, share: 1, tasks: [b]}",
         "3:37", "no task of this plan"),
        ("content: {page: -5}", "1:", "fewer than no tokens"),
        ("days: 30", "", "holds no work"),
        ("", "", "holds no work"),
        ("tasks: [", "1:", "not YAML"),
    ],
)  # fmt: skip
def test_mistakes_name_their_place_and_their_remedy(text: str, where: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read_plan(text, "plan.yaml")
    found = [one for one in raised.value.problems if said in f"{one.what} {one.remedy}"]
    assert found, raised.value.problems
    assert found[0].where.startswith(f"plan.yaml:{where}" if where else "plan.yaml")
    assert found[0].remedy
