"""What the endpoints of one model have shown of late, side by side: state around the pure `decide.outlier`."""

from collections import deque
from collections.abc import Mapping

from bascule.decide.outlier import OutlierPolicy, Shown, outliers, percentile

MAX_MODELS = 1_000
"""That are watched; beyond it those that were not heard of for the longest are not. Names may come from clients."""
SAMPLES = 64
"""Times to first content that are kept of an endpoint."""
LOOK_EVERY_S = 1.0
LEAST_FOR_PERCENTILE = 20


class _Endpoint:
    __slots__ = ("at_s", "failed", "first", "outcomes")

    def __init__(self) -> None:
        self.outcomes = self.failed = self.at_s = 0.0
        self.first: deque[tuple[float, float]] = deque(maxlen=SAMPLES)
        """When, and how many seconds it took."""

    def shown(self, now_s: float, window_s: float) -> Shown:
        keep = max(0.0, 1.0 - (now_s - self.at_s) / window_s)
        recent = [took_s for at_s, took_s in self.first if now_s - at_s < window_s]
        return Shown(outcomes=self.outcomes * keep, failed=self.failed * keep, first_s=recent)

    def add(self, now_s: float, window_s: float, *, failed: bool, first_s: float | None) -> None:
        keep = max(0.0, 1.0 - (now_s - self.at_s) / window_s)
        self.outcomes = self.outcomes * keep + 1.0
        self.failed = self.failed * keep + failed
        self.at_s = now_s
        if first_s is not None:
            self.first.append((now_s, first_s))


class Peers:
    """Endpoints by model. Single-threaded: written by the event loop only."""

    def __init__(self) -> None:
        self._models: dict[str, dict[str, _Endpoint]] = {}
        self._looked_s: dict[str, float] = {}
        self._last: dict[str, frozenset[str]] = {}
        """Outliers by model, where there are any."""

    def observe(
        self,
        model: str,
        endpoint_id: str,
        now_s: float,
        policy: OutlierPolicy,
        *,
        failed: bool,
        first_s: float | None,
    ) -> None:
        """An attempt that told something of the endpoint has ended."""
        endpoints = self._models.get(model)
        if endpoints is None:
            endpoints = self._models[model] = {}
            if len(self._models) > MAX_MODELS:
                oldest = next(iter(self._models))
                for kept in (self._models, self._looked_s, self._last):
                    kept.pop(oldest, None)
        endpoint = endpoints.get(endpoint_id)
        if endpoint is None:
            endpoint = endpoints[endpoint_id] = _Endpoint()
        endpoint.add(now_s, policy.window_s, failed=failed, first_s=first_s)
        if len(endpoints) > 1 and now_s - self._looked_s.get(model, 0.0) >= LOOK_EVERY_S:
            self._look(model, now_s, policy)

    def outliers(self, now_s: float, policy: OutlierPolicy) -> Mapping[str, frozenset[str]]:
        """By model. Looked up anew where that was not done for a while."""
        for model in [model for model in self._last if now_s - self._looked_s[model] >= LOOK_EVERY_S]:
            self._look(model, now_s, policy)
        return self._last

    def first_content_s(
        self, model: str, endpoint_id: str, now_s: float, share: float, window_s: float
    ) -> float | None:
        """A percentile of an endpoint's times to first content; None while too few are known."""
        endpoint = self._models.get(model, {}).get(endpoint_id)
        if endpoint is None:
            return None
        recent = endpoint.shown(now_s, window_s).first_s
        return percentile(recent, share) if len(recent) >= LEAST_FOR_PERCENTILE else None

    def _look(self, model: str, now_s: float, policy: OutlierPolicy) -> None:
        self._looked_s[model] = now_s
        shown = {name: one.shown(now_s, policy.window_s) for name, one in self._models[model].items()}
        found = outliers(shown, policy)
        if found:
            self._last[model] = found
        else:
            self._last.pop(model, None)
