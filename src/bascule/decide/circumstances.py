"""What routing is told beside the request itself."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from bascule.decide.breaker import Status
from bascule.model.catalog import Endpoint
from bascule.model.money import Rates

CostOf = Callable[[Endpoint], int | None]
RatesOf = Callable[[Endpoint], Rates | None]
QualityOf = Callable[[str, str | None], float | None]
"""(model, task) to the lower end of its one-sided 95 % interval from evidence; None leaves the declared quality."""


def _unknown_cost(endpoint: Endpoint) -> int | None:
    return None


def _unknown_rates(endpoint: Endpoint) -> Rates | None:
    return None


def _no_evidence(model: str, task: str | None) -> float | None:
    return None


class Circumstances(Struct, frozen=True, kw_only=True):
    """What else is known when a request is routed: the time, its costs, evidence and health."""

    now_ms: int
    hold_of: CostOf = _unknown_cost
    """The least hold, in nano-USD, with which this request can be sent there; None where it has no price or bound."""
    expected_cost_of: CostOf = _unknown_cost
    """Expected input and output at that endpoint's rates, in nano-USD; 0 only where it is free."""
    rates_of: RatesOf = _unknown_rates
    """The endpoint's rates now; asked only for `provider.max_price`."""
    quality_of: QualityOf = _no_evidence
    est_input_tokens: int | None = None
    """None: a quarter of the text's bytes."""
    est_output_tokens: int = 500
    """How long the answer will be, for the objectives that count time."""
    health: Mapping[str, Status] = {}
    """What is not well, as `decide.health.standing` reads it: `open` lets nothing through, `cooling` (it asked for a
    pause) and `outlier` (far worse than its peers) are tried last."""
    want_task: bool = False
    """Guess the task even where the route does not need it."""
