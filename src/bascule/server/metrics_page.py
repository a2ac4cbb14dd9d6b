"""The gateway's counters in Prometheus' text format. Sessions, users and keys are never labels."""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from bascule.gateway.metrics import DURATION_BUCKETS_S, Histogram, Metrics
from bascule.model.money import NANO_PER_USD


class Gauges:
    """Values read when asked, from parts that the metrics do not own."""

    def __init__(
        self, readings: Iterable[tuple[str, str, float]], breakers: Iterable[tuple[str, str, str]] = ()
    ) -> None:
        """`breakers`: kind, target and state of those that are not closed."""
        self.readings = tuple(readings)
        self.breakers = tuple(breakers)


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    total = 0
    buckets: list[tuple[str, float]] = []
    for bound, count in zip((*DURATION_BUCKETS_S, None), histogram.counts, strict=True):
        total += count
        buckets.append(("+Inf" if bound is None else str(bound), total))
    return buckets


class _Families(Collector):
    def __init__(self, metrics: Metrics, gauges: Gauges) -> None:
        self._metrics = metrics
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        metrics = self._metrics
        requests = CounterMetricFamily("bascule_requests", "Client requests answered", labels=["surface", "status"])
        for (surface, status), count in metrics.requests.items():
            requests.add_metric([surface, str(status)], count)
        yield requests
        refusals = CounterMetricFamily("bascule_refusals", "Requests refused by the gateway itself", labels=["kind"])
        for kind, count in metrics.refusals.items():
            refusals.add_metric([kind], count)
        yield refusals
        yield from self._overload()
        yield CounterMetricFamily("bascule_cache_hits", "Answers served from the cache", value=metrics.cache_hits)
        replays = "Answers given again to a repeated Idempotency-Key"
        yield CounterMetricFamily("bascule_idempotent_replays", replays, value=metrics.replays)
        alerts = CounterMetricFamily(
            "bascule_budget_alerts", "Thresholds that budgets have reached", labels=["kind", "window", "threshold"]
        )
        for reached, count in metrics.budget_alerts.items():
            alerts.add_metric(list(reached), count)
        yield alerts
        yield from self._alerts()
        yield from self._prompt_caches()
        yield from self._breakers()
        yield GaugeMetricFamily("bascule_in_flight", "Requests being served", value=metrics.in_flight)
        yield from self._by_model()
        for name, help_text, value in self._gauges.readings:
            yield GaugeMetricFamily(name, help_text, value=value)

    def _alerts(self) -> Iterator[Metric]:
        told = CounterMetricFamily("bascule_alerts", "What operators were told of", labels=["event"])
        for event, count in self._metrics.alerts.items():
            told.add_metric([event], count)
        deliveries = CounterMetricFamily(
            "bascule_alert_deliveries", "Alerts sent to webhooks, by what became of them", labels=["webhook", "outcome"]
        )
        for place, count in self._metrics.deliveries.items():
            deliveries.add_metric(list(place), count)
        runaways = CounterMetricFamily(
            "bascule_runaway_sessions", "Sessions that ran away, once for each further step", labels=["step", "rule"]
        )
        for found, count in self._metrics.runaway_sessions.items():
            runaways.add_metric(list(found), count)
        comparisons = CounterMetricFamily(
            "bascule_comparisons",
            "Requests that were chosen to be answered by incumbent and challenger, by what became of it",
            labels=["route", "outcome"],
        )
        for compared, count in self._metrics.comparisons.items():
            comparisons.add_metric(list(compared), count)
        yield from (told, deliveries, runaways, comparisons)

    def _overload(self) -> Iterator[Metric]:
        metrics = self._metrics
        sheds = CounterMetricFamily(
            "bascule_shed_requests", "Requests refused for there was too much", labels=["reason"]
        )
        for reason, count in metrics.sheds.items():
            sheds.add_metric([reason], count)
        short = CounterMetricFamily(
            "bascule_memory_pressure", "How often memory became so short that this is refused", labels=["refused"]
        )
        for refused, count in metrics.memory_pressures.items():
            short.add_metric([refused], count)
        reloads = CounterMetricFamily("bascule_reloads", "Configurations read again", labels=["result"])
        for result, count in metrics.reloads.items():
            reloads.add_metric([result], count)
        yield from (sheds, short, reloads)
        yield CounterMetricFamily(
            "bascule_stalled_clients", "Clients cut off for they took nothing", value=metrics.stalled_clients
        )

    def _breakers(self) -> Iterator[Metric]:
        labels = ["kind", "target", "state"]
        changes = CounterMetricFamily("bascule_breaker_changes", "Breakers that opened or closed", labels=labels)
        for change, count in self._metrics.breaker_changes.items():
            changes.add_metric(list(change), count)
        unwell = GaugeMetricFamily("bascule_unwell", "Targets that are left alone or tried last", labels=labels)
        for place in self._gauges.breakers:
            unwell.add_metric(list(place), 1)
        yield from (changes, unwell)

    def _prompt_caches(self) -> Iterator[Metric]:
        labels = ["model", "provider"]
        uncached = CounterMetricFamily(
            "bascule_uncached_prompts",
            "Large prompts of sessions that the provider's cache did not serve",
            labels=[*labels, "reason"],
        )
        for place, count in self._metrics.uncached_prompts.items():
            uncached.add_metric(list(place), count)
        collapses = CounterMetricFamily(
            "bascule_cache_collapses", "Sessions whose prompt cache silently stopped", labels=labels
        )
        for pair, count in self._metrics.cache_collapses.items():
            collapses.add_metric(list(pair), count)
        yield from (uncached, collapses)
        labels = ["found", "action"]
        protected = CounterMetricFamily("bascule_protected", "Found in requests before they left", labels=labels)
        for pair, count in self._metrics.protected.items():
            protected.add_metric(list(pair), count)
        yield protected

    def _by_model(self) -> Iterator[Metric]:
        labels = ["model", "provider"]
        attempts = CounterMetricFamily("bascule_attempts", "Upstream exchanges", labels=[*labels, "outcome"])
        tokens = CounterMetricFamily("bascule_tokens", "Tokens billed, in disjoint types", labels=[*labels, "type"])
        cost = CounterMetricFamily("bascule_cost_usd", "Cost at book price", labels=labels)
        unpriced = CounterMetricFamily("bascule_unpriced_attempts", "Attempts without a known price", labels=labels)
        duration = HistogramMetricFamily("bascule_attempt_duration_seconds", "Duration of attempts", labels=labels)
        first = HistogramMetricFamily("bascule_time_to_first_token_seconds", "Time to first content", labels=labels)
        for key, counters in self._metrics.models.items():
            for outcome, count in counters.attempts.items():
                attempts.add_metric([*key, outcome], count)
            for kind, count in counters.tokens.items():
                tokens.add_metric([*key, kind], count)
            cost.add_metric(list(key), counters.cost_nanousd / NANO_PER_USD)
            unpriced.add_metric(list(key), counters.unpriced)
            duration.add_metric(list(key), _buckets(counters.duration), counters.duration.total_s)
            first.add_metric(list(key), _buckets(counters.first_byte), counters.first_byte.total_s)
        yield from (attempts, tokens, cost, unpriced, duration, first)


def families(metrics: Metrics, gauges: Gauges) -> list[Metric]:
    """What this process has counted."""
    return list(_Families(metrics, gauges).collect())


class _Fixed(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families


def render(families: Iterable[Metric]) -> bytes:
    """The page that a Prometheus server scrapes."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Fixed(families))
    return generate_latest(registry)
