"""What a key, a route and a budget allow."""

from typing import Literal

from msgspec import Struct

from bascule.model.prediction import Classifier, Predictor
from bascule.model.strategy import Strategy

Objective = Literal["cheapest", "best", "fastest", "balanced"]
BudgetMode = Literal["strict", "expected", "warn"]
BudgetWindow = Literal["hour", "day", "week", "month", "total"]
OnExhausted = Literal["refuse", "degrade", "finish_session"]
ProtectAction = Literal["redact", "force_local", "block"]
ServingMode = Literal["enforce", "observe"]
Preset = Literal["cost", "balanced", "quality"]
TierName = Literal["commodity", "mid", "premium"]
RunawayAction = Literal["off", "warn", "degrade", "stop"]


class RateLimit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    rpm: int | None = None
    tpm: int | None = None
    in_flight: int | None = None


class DataPolicy(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What may happen to the data of a request. An unknown fact does not satisfy a constraint."""

    retention: str | None = None
    """`none`, or the longest that is accepted, e.g. `30d`."""
    training: bool | None = None
    """False: only endpoints known not to train."""
    regions: tuple[str, ...] = ()
    providers_allow: tuple[str, ...] = ()
    providers_deny: tuple[str, ...] = ()
    zdr: bool = False
    quantizations: tuple[str, ...] = ()


NO_DATA_POLICY = DataPolicy()
"""Anything may see it. Where nothing is said this very object stands, so that asking costs one `is`."""


class Protect(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is done about what is found in a request, by kind; None: it is not looked for."""

    personal: ProtectAction | None = None
    secrets: ProtectAction | None = None


NO_PROTECTION = Protect()
"""Where nothing is said this very object stands, as with `NO_DATA_POLICY`."""


class KeyPolicy(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who a virtual key is and what it may do. The secret itself is nowhere in it."""

    name: str
    org: str | None = None
    team: str | None = None
    project: str | None = None
    user: str | None = None
    models: tuple[str, ...] = ()
    """Names that may be asked for; empty is all. `provider/x` always needs an explicit grant when non-empty."""
    max_output_tokens: int | None = None
    rate: RateLimit = RateLimit()
    tags: dict[str, str] = {}
    role: Literal["member", "admin", "auditor", "team_admin"] = "member"
    source: Literal["config", "store", "open"] = "config"
    expires_ms: int | None = None
    data: DataPolicy = NO_DATA_POLICY
    """Holds for every request, whatever route and request say; these can only tighten it."""
    protect: Protect = NO_PROTECTION


class Budget(Struct, frozen=True, kw_only=True):
    """A cap on a scope. `scope` is `kind:name`, e.g. `key:ci`, `team:platform`, `user:*`, `tag:feature=search`."""

    scope: str
    limit_nanousd: int
    window: BudgetWindow
    mode: BudgetMode = "strict"
    alerts: tuple[float, ...] = ()
    on_exhausted: OnExhausted = "refuse"
    source: Literal["config", "store"] = "config"


class Rule(Struct, frozen=True, kw_only=True):
    """One CEL rule of a route; whatever is not None replaces the route's own when `when` is true."""

    when: str
    candidates: tuple[str, ...] | None = None
    objective: Objective | None = None
    quality: float | None = None
    tiers: tuple[TierName, ...] | None = None
    max_cost_nanousd: int | None = None
    refuse: str | None = None


class DearCap(Struct, frozen=True, kw_only=True):
    """How many requests may go to models of the premium tier: see `decide.dear`. A worker counts for itself."""

    key_share: float | None = None
    """Of all requests of one key on the route, 0 to 1; None: not limited."""
    session_share: float | None = None
    """Of those of one session."""
    burst: int = 10
    """Dear requests that nobody has to earn first."""


class Sticky(Struct, frozen=True, kw_only=True):
    """When a session may move to another model: see `decide.stickiness`."""

    enabled: bool = True
    max_switch_nanousd: int = 1_000_000_000
    """The most that a new model's first reading of the prompt may cost."""
    least_saving_percent: int = 5
    """Of the session's expected rest, what moving has to save at least."""


class Hedge(Struct, frozen=True, kw_only=True):
    """When a second candidate is asked beside a first that stays silent."""

    after_s: float
    percentile: float | None = None
    """Once enough is known of the first candidate: after this percentile of its own times to first content, 0 to 1;
    `after_s` until then."""


class RoutePolicy(Struct, frozen=True, kw_only=True):
    """A virtual model: candidates, and how to choose among them."""

    name: str
    candidates: tuple[str, ...]
    objective: Objective = "cheapest"
    quality: float | None = None
    """The floor, 0 to 1; `low|medium|high` are already numbers here. None: no floor."""
    max_cost_nanousd: int | None = None
    max_output_tokens: int | None = None
    data: DataPolicy = NO_DATA_POLICY
    protect: Protect = NO_PROTECTION
    rules: tuple[Rule, ...] = ()
    hedge: Hedge | None = None
    filtered_elsewhere: bool = False
    """What one model refuses for its content, others may be asked."""
    floors: dict[str, float] = {}
    """From a preset: the floor by task, `default` for all others; used where `quality` is None."""
    tiers: tuple[TierName, ...] = ()
    """Only models of these; empty for all."""
    max_ttft_s: float | None = None
    """Candidates whose live p90 of the time to first content is longer go behind the others."""
    dear: DearCap | None = None
    sticky: Sticky = Sticky()
    strategy: Strategy | None = None
    """How several models work on one request; None: one does."""
    classifier: Classifier | None = None
    """Says what kind of work a request is where neither its header nor the plain rules do; None: nobody does."""
    learned: Predictor | None = None
    """Orders the candidates that are good enough, prompt by prompt; None: the objective does."""


class Ask(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one request adds to policy, by header or body (OpenRouter's extensions included)."""

    model: str
    fallback_models: tuple[str, ...] = ()
    suffix: Literal["floor", "nitro"] | None = None
    quality: float | None = None
    max_cost_nanousd: int | None = None
    data: DataPolicy = NO_DATA_POLICY
    key_data: DataPolicy = NO_DATA_POLICY
    """The key's, put there by admission and never read from the request."""
    order: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    sort: Literal["price", "throughput", "latency"] | None = None
    max_price_input: int | None = None
    """Pico-USD per token."""
    max_price_output: int | None = None
    allow_fallbacks: bool = True
    require_parameters: bool = False
    deadline_ms: int | None = None
    """Milliseconds from the request's arrival within which the answer must be complete."""
    no_cache: bool = False
