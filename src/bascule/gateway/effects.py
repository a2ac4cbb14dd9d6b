"""What serving a request touches of the world, and what is left of it for the cache."""

from collections.abc import Callable

from msgspec import Struct

from bascule.decide.attempt import AttemptLimits
from bascule.decide.cache_watch import CollapsePolicy
from bascule.gateway.admission import Admitted
from bascule.gateway.books import Books, Cost
from bascule.gateway.cache_watch import CacheWatch
from bascule.gateway.dispatch import Dispatcher
from bascule.gateway.holding import Holding
from bascule.gateway.kept import KeptAnswers
from bascule.gateway.recording import Recordings
from bascule.gateway.retry_budgets import RetryBudgets
from bascule.gateway.routing_state import RoutingState
from bascule.gateway.runaway_guard import RunawayGuard
from bascule.gateway.wellbeing import Wellbeing
from bascule.model.money import PriceTimeline
from bascule.model.plan import Candidate, Plan
from bascule.ports import Clock, Upstream
from bascule.ports.commands import Commands
from bascule.ports.verifiers import Verifiers


class Answered(Struct, frozen=True, kw_only=True):
    """A whole answer that went out, as the cache may want to keep it."""

    candidate: Candidate
    raw: bytes
    streamed: bool
    finish_reason: str | None
    has_tool_calls: bool
    cost: Cost


class Effects(Struct, frozen=True, kw_only=True):
    """The parts of the world that serving touches."""

    upstream: Upstream
    books: Books
    clock: Clock
    dispatcher: Dispatcher
    holding: Holding
    wellbeing: Wellbeing
    retry_budgets: RetryBudgets
    dice: Callable[[], float]
    limits: AttemptLimits
    baseline: PriceTimeline | None
    price_version: str
    splice_cost: bool
    cache_watch: CacheWatch
    collapse: CollapsePolicy | None
    """When a session's prompt cache has stopped; None: nobody wants to know."""
    routing: RoutingState
    charge_dear: Callable[[Admitted, Plan, Candidate], None]
    """Told of each attempt at a candidate that was not its plan's first."""
    runaway: RunawayGuard | None = None
    """None: nobody wants to know of sessions that run away."""
    kept: KeptAnswers | None = None
    """Where answers are kept that later requests may refer to; None where none are."""
    recordings: Recordings | None = None
    """None where nothing is recorded."""
    commands: Commands | None = None
    """Who runs the operator's own programs; None where there is nobody who could."""
    verifiers: Verifiers | None = None
    """Who asks trained verifiers; None likewise."""
