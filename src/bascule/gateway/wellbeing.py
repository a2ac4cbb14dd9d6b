"""The health of endpoints as attempts have shown it: state around the pure `decide.health`."""

from collections.abc import Mapping

from bascule.decide.health import HEALTHY, HealthState, observe, status
from bascule.model.outcome import Fault

_ALL_WELL: Mapping[str, str] = {}


class Wellbeing:
    """One state per endpoint that is not known to be well. In memory: a restart may try everybody again."""

    def __init__(self) -> None:
        self._unwell: dict[str, HealthState] = {}

    def observe(self, endpoint_id: str, fault: Fault | None, now_s: float) -> None:
        """An attempt has ended."""
        if fault is None:
            if self._unwell:
                self._unwell.pop(endpoint_id, None)
            return
        before = self._unwell.get(endpoint_id, HEALTHY)
        after = observe(before, fault.error_class, now_s, fault.retry_after_s)
        if after is not HEALTHY:
            self._unwell[endpoint_id] = after

    def statuses(self, now_s: float) -> Mapping[str, str]:
        """`cooling` or `open` by endpoint id; those that are well are not in it."""
        if not self._unwell:
            return _ALL_WELL
        found = {endpoint_id: status(state, now_s) for endpoint_id, state in self._unwell.items()}
        return {endpoint_id: word for endpoint_id, word in found.items() if word != "ok"}
