"""The gateway's counters as a Prometheus server reads them."""

from prometheus_client.parser import text_string_to_metric_families

from bascule.gateway.metrics import Metrics
from bascule.gateway.wellbeing import BreakerChange
from bascule.server.metrics_page import Gauges, families, render


def samples(metrics: Metrics, gauges: Gauges) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    page = render(families(metrics, gauges)).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def test_an_idle_gateway_has_a_page() -> None:
    found = samples(Metrics(), Gauges([("bascule_open_holds", "Holds", 3.0)]))
    assert found["bascule_open_holds", ()] == 3
    assert found["bascule_in_flight", ()] == 0
    assert found["bascule_cache_hits_total", ()] == 0


def test_every_counter_is_on_the_page() -> None:
    metrics = Metrics()
    metrics.request("openai_chat", 200)
    metrics.request("openai_chat", 200)
    metrics.request("anthropic_messages", 402)
    metrics.refusal("budget_exhausted")
    metrics.budget_alert("team", "month", "0.8")
    metrics.cache_collapse("small", "one")
    metrics.breaker(BreakerChange(kind="endpoint", target="one/small", state="open"))
    metrics.uncached_prompt("small", "one", "pause")
    metrics.cache_hits = 4
    metrics.in_flight = 5
    model = metrics.model('odd "name"\n', "local")
    model.attempts["ok"] = 7
    model.tokens["in"] = 8
    model.cost_nanousd = 1_500_000_000
    model.unpriced = 1
    for seconds in (0.05, 0.06, 700.0):
        model.duration.observe(seconds)
    found = samples(metrics, Gauges([], [("endpoint", "one/small", "open")]))
    unwell = (("kind", "endpoint"), ("state", "open"), ("target", "one/small"))
    assert found["bascule_unwell", unwell] == 1
    named = (("model", 'odd "name"\n'), ("provider", "local"))
    assert found["bascule_requests_total", (("status", "200"), ("surface", "openai_chat"))] == 2
    assert found["bascule_requests_total", (("status", "402"), ("surface", "anthropic_messages"))] == 1
    assert found["bascule_refusals_total", (("kind", "budget_exhausted"),)] == 1
    assert found["bascule_cache_hits_total", ()] == 4
    changed = (("kind", "endpoint"), ("state", "open"), ("target", "one/small"))
    assert found["bascule_breaker_changes_total", changed] == 1
    assert found["bascule_cache_collapses_total", (("model", "small"), ("provider", "one"))] == 1
    uncached = (("model", "small"), ("provider", "one"), ("reason", "pause"))
    assert found["bascule_uncached_prompts_total", uncached] == 1
    assert found["bascule_budget_alerts_total", (("kind", "team"), ("threshold", "0.8"), ("window", "month"))] == 1
    assert found["bascule_in_flight", ()] == 5
    assert found["bascule_attempts_total", (*named[:1], ("outcome", "ok"), *named[1:])] == 7
    assert found["bascule_tokens_total", (*named, ("type", "in"))] == 8
    assert found["bascule_cost_usd_total", named] == 1.5
    assert found["bascule_unpriced_attempts_total", named] == 1

    def bucket(bound: str) -> float:
        return found["bascule_attempt_duration_seconds_bucket", (("le", bound), *named)]

    assert [bucket(bound) for bound in ("0.05", "0.1", "600.0", "+Inf")] == [1, 2, 2, 3]
    assert found["bascule_attempt_duration_seconds_count", named] == 3
    assert abs(found["bascule_attempt_duration_seconds_sum", named] - 700.11) < 1e-9
    assert found["bascule_time_to_first_token_seconds_count", named] == 0
