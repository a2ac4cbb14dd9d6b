"""A routing decision as a value: who may answer, in which order, and why."""

from msgspec import Struct

from bascule.model.catalog import Endpoint
from bascule.model.policy import Hedge
from bascule.model.prediction import Predicted
from bascule.model.quality import Quality
from bascule.model.session_state import SessionChoice


class Candidate(Struct, frozen=True, kw_only=True):
    """One endpoint that may answer, with what the decision knew about it."""

    model: str
    endpoint: Endpoint
    reason: str
    """In the field's words: `cheapest adequate`, `floor_unmet`, `fallback`, `requested`, …"""
    quality: float | None = None
    judged: Quality | None = None
    """What `quality` comes from; None where it is unknown."""
    expected_nanousd: int | None = None
    """Expected cost of this request here; None where no price is known."""
    adequate: bool = True
    predicted: Predicted | None = None
    """What the route's learned router says of it."""


class Rejected(Struct, frozen=True):
    """A candidate that was considered and left out, and why."""

    endpoint_id: str
    reason: str


class Plan(Struct, frozen=True, kw_only=True):
    """Candidates in the order in which they are to be tried; never empty."""

    candidates: tuple[Candidate, ...]
    rejected: tuple[Rejected, ...] = ()
    route: str | None = None
    reason: str = ""
    task: str | None = None
    task_source: str | None = None
    """`header`, `rule` or `classifier`."""
    floor: float | None = None
    max_cost_nanousd: int | None = None
    max_output_tokens: int | None = None
    hedge: Hedge | None = None
    filtered_elsewhere: bool = False
    """Another model may be asked what one has refused for its content."""
    rule: str | None = None
    """The CEL text of the rule that matched."""
    session: SessionChoice | None = None
    """Why the session stays or moves; None where nothing is known of it."""
    watches_latency: bool = False
    """What its attempts show of latency is kept, for the route bounds it."""
    policy_version: str = ""
    evidence: str | None = None
    """The trial of a challenger that has a say in who goes first, with its version."""
