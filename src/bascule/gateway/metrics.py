"""Counters of the gateway as plain integers; `/metrics` turns them into Prometheus text when asked."""

from bisect import bisect_left

from bascule.decide.health import Kind
from bascule.gateway.wellbeing import BreakerChange

MAX_INVENTED = 200
"""Names of models that no configuration holds and that are still counted apart. Clients choose them (`provider/x`), so
there must be an end; counters that are there may not fall, so the first ones stay."""
OTHER = "(other)"
"""What the others are counted as."""
OPERATORS_OWN: frozenset[Kind] = frozenset({"provider", "credential"})
"""Kinds of targets whose names are the configuration's."""
DURATION_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)


class Histogram:
    """Cumulative-bucket histogram over fixed bounds, in seconds."""

    __slots__ = ("counts", "total_s")

    def __init__(self) -> None:
        self.counts = [0] * (len(DURATION_BUCKETS_S) + 1)
        self.total_s = 0.0

    def observe(self, value_s: float) -> None:
        self.counts[bisect_left(DURATION_BUCKETS_S, value_s)] += 1
        self.total_s += value_s


class ModelCounters:
    """What one (model, provider) pair did."""

    __slots__ = ("attempts", "cost_nanousd", "duration", "first_byte", "tokens", "unpriced")

    def __init__(self) -> None:
        self.attempts: dict[str, int] = {}
        self.tokens: dict[str, int] = {}
        self.cost_nanousd = 0
        self.unpriced = 0
        self.duration = Histogram()
        self.first_byte = Histogram()

    def count(self, kind: str, tokens: int) -> None:
        self.tokens[kind] = self.tokens.get(kind, 0) + tokens


class Metrics:
    """Everything that is counted. Single-threaded: written by the event loop only."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, int], int] = {}
        self.models: dict[tuple[str, str], ModelCounters] = {}
        self.in_flight = 0
        self.refusals: dict[str, int] = {}
        self.sheds: dict[str, int] = {}
        """Refused because there was too much, by what there was too much of."""
        self.stalled_clients = 0
        """Cut off because they took nothing of their answer."""
        self.memory_pressures: dict[str, int] = {}
        """How often memory became so short that this is refused: `large` bodies, `all` new work."""
        self.reloads: dict[str, int] = {"taken": 0, "refused": 0}
        """Configurations read again while serving."""
        self.cache_hits = 0
        self.replays = 0
        """Answers given again to a repeated Idempotency-Key."""
        self.budget_alerts: dict[tuple[str, str, str], int] = {}
        """By kind of scope, window and threshold."""
        self.uncached_prompts: dict[tuple[str, str, str], int] = {}
        """Large prompts of sessions that their provider's cache did not serve, by model, provider and reason."""
        self.cache_collapses: dict[tuple[str, str], int] = {}
        """By model and provider."""
        self.runaway_sessions: dict[tuple[str, str], int] = {}
        """Sessions by the step that was taken and the rule that asked for it."""
        self.alerts: dict[str, int] = {}
        """What was told of, by event."""
        self.deliveries: dict[tuple[str, str], int] = {}
        """To webhooks, by name and what became of them."""
        self.protected: dict[tuple[str, str], int] = {}
        """Found in requests before they left, by name and what was done."""
        self.comparisons: dict[tuple[str, str], int] = {}
        """Requests that were chosen to be answered by incumbent and challenger, by route and what became of it."""
        self.breaker_changes: dict[tuple[str, str, str], int] = {}
        """By kind of target, target and new state."""
        self.configured: frozenset[str] = frozenset()
        """Models and endpoints of the configuration: counted by their names, however many others there are."""
        self._invented: set[str] = set()

    def shown(self, name: str) -> str:
        """What a model or an endpoint is counted as."""
        if name in self.configured or name in self._invented:
            return name
        if len(self._invented) >= MAX_INVENTED:
            return OTHER
        self._invented.add(name)
        return name

    def protection(self, name: str, action: str, count: int) -> None:
        self.protected[name, action] = self.protected.get((name, action), 0) + count

    def comparison(self, route: str, outcome: str) -> None:
        self.comparisons[route, outcome] = self.comparisons.get((route, outcome), 0) + 1

    def breaker(self, change: BreakerChange) -> None:
        target = change.target if change.kind in OPERATORS_OWN else self.shown(change.target)
        key = (change.kind, target, change.state)
        self.breaker_changes[key] = self.breaker_changes.get(key, 0) + 1

    def request(self, surface: str, status: int) -> None:
        key = (surface, status)
        self.requests[key] = self.requests.get(key, 0) + 1

    def refusal(self, kind: str) -> None:
        self.refusals[kind] = self.refusals.get(kind, 0) + 1

    def shed(self, reason: str) -> None:
        self.sheds[reason] = self.sheds.get(reason, 0) + 1

    def memory_pressure(self, refused: str) -> None:
        self.memory_pressures[refused] = self.memory_pressures.get(refused, 0) + 1

    def reload(self, result: str) -> None:
        self.reloads[result] += 1

    def budget_alert(self, kind: str, window: str, threshold: str) -> None:
        key = (kind, window, threshold)
        self.budget_alerts[key] = self.budget_alerts.get(key, 0) + 1

    def uncached_prompt(self, model: str, provider: str, reason: str) -> None:
        key = (self.shown(model), provider, reason)
        self.uncached_prompts[key] = self.uncached_prompts.get(key, 0) + 1

    def cache_collapse(self, model: str, provider: str) -> None:
        key = (self.shown(model), provider)
        self.cache_collapses[key] = self.cache_collapses.get(key, 0) + 1

    def runaway_session(self, step: str, rule: str) -> None:
        key = (step, rule)
        self.runaway_sessions[key] = self.runaway_sessions.get(key, 0) + 1

    def alert(self, event: str) -> None:
        self.alerts[event] = self.alerts.get(event, 0) + 1

    def delivery(self, webhook: str, outcome: str, count: int = 1) -> None:
        """`delivered`, `retried`, `failed` for good, `dropped` unsent, `repeated`: told already."""
        key = (webhook, outcome)
        self.deliveries[key] = self.deliveries.get(key, 0) + count

    def model(self, model: str, provider: str) -> ModelCounters:
        counters = self.models.get((model, provider))
        if counters is None:
            key = (self.shown(model), provider)
            counters = self.models.get(key)
            if counters is None:
                counters = self.models[key] = ModelCounters()
        return counters
