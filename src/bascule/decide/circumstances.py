"""What routing is told beside the request itself."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from bascule.decide.breaker import Status
from bascule.model.catalog import Endpoint
from bascule.model.money import Rates
from bascule.model.policy import RoutePolicy
from bascule.model.quality import Quality
from bascule.model.session_state import SessionState

CostOf = Callable[[Endpoint], int | None]
RatesOf = Callable[[Endpoint], Rates | None]
QualityOf = Callable[[str, str | None], Quality | None]
"""(model, task) to what evidence says of it; None leaves the declared quality."""
SpeedOf = Callable[[str, Endpoint], float | None]
DearOf = Callable[[RoutePolicy], str | None]


def _unknown_cost(endpoint: Endpoint) -> int | None:
    return None


def _unknown_rates(endpoint: Endpoint) -> Rates | None:
    return None


def _no_evidence(model: str, task: str | None) -> Quality | None:
    return None


def _no_speed(model: str, endpoint: Endpoint) -> float | None:
    return None


def _none_spent(policy: RoutePolicy) -> str | None:
    return None


def _no_limit() -> int | None:
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
    ttft_of: SpeedOf = _no_speed
    """The live p90 of the seconds to first content of (model, endpoint); None where too few were seen."""
    dear_spent: DearOf = _none_spent
    """Why no further request of this key or session may go to a dear model on the route; None: it may."""
    full: frozenset[str] = frozenset()
    """Endpoints whose `concurrency` is used up: they are tried last."""
    session: SessionState | None = None
    """What this worker knows of the request's session; None: nothing."""
    turns_left: Callable[[int], float] = float
    """Requests to be expected after the session's n-th; asked only where `session` is known."""
    budget_left_nanousd: Callable[[], int | None] = _no_limit
    """The least that is left in any budget of the request; None: no budget applies."""
    want_task: bool = False
    """Guess the task even where the route does not need it."""
