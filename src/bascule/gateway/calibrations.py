"""What each endpoint's reported usage has taught so far: state around the pure `decide.calibration`."""

from bascule.decide.calibration import Calibration, observe_input, observe_output
from bascule.model.facts import Facts
from bascule.model.usage import Usage

LEARN_EVERY = 8
"""Once an endpoint is known, only every eighth answer is learned from: it costs a few microseconds."""
ALWAYS_LEARN_BELOW = 64
MAX_ENDPOINTS = 4_096
"""Of which is remembered what they taught; beyond it the one that first taught something is forgotten. Names come from
clients."""
BELIEVED = frozenset({"reasoning_beside_completion"})
"""Flags of usage that is sound. One count that was clamped would teach estimates of a million tokens a word."""

_UNKNOWN = Calibration()


class Calibrations:
    """One calibration per endpoint id. Lost on restart: it is an estimate's comfort, not a record."""

    def __init__(self) -> None:
        self._of: dict[str, Calibration] = {}
        self._seen: dict[str, int] = {}

    def of(self, endpoint_id: str) -> Calibration:
        return self._of.get(endpoint_id, _UNKNOWN)

    def learn(self, endpoint_id: str, facts: Facts, usage: Usage, output_bytes: int) -> None:
        """Learn from a complete answer with reported usage, unless something about the report was odd."""
        if usage.flags and not BELIEVED.issuperset(usage.flags):
            return
        seen = self._seen.get(endpoint_id, 0) + 1
        if seen == 1 and len(self._seen) >= MAX_ENDPOINTS:
            first = next(iter(self._seen))
            del self._seen[first]
            self._of.pop(first, None)
        self._seen[endpoint_id] = seen
        if seen > ALWAYS_LEARN_BELOW and seen % LEARN_EVERY:
            return
        calibration = self.of(endpoint_id)
        if not facts.images and not facts.unbounded:
            calibration = observe_input(calibration, facts.text_bytes, usage.tier_input)
        self._of[endpoint_id] = observe_output(calibration, output_bytes, usage.billed_output)
