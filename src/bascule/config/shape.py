"""The shape of bascule.yaml: what may stand where. Decoder, JSON Schema and documentation are all made from it.

Money and prices are integers already (see `scalars`): `limit_usd: 0.25` is `limit_nanousd == 250_000_000`.
"""

from typing import Annotated, Literal

from msgspec import Meta, field

from bascule.config.alerts import Alerts
from bascule.config.attempts import Breaker as Breaker
from bascule.config.attempts import Hedge as Hedge
from bascule.config.attempts import Outlier as Outlier
from bascule.config.attempts import Retry as Retry
from bascule.config.evidence import EvidenceConfig
from bascule.config.idempotency import Idempotency as Idempotency
from bascule.config.learned import LearnedConfig
from bascule.config.leases import Leases as Leases
from bascule.config.overload import Overload as Overload
from bascule.config.postgres import Postgres as Postgres
from bascule.config.pricing import Contract as Contract
from bascule.config.pricing import Price as Price
from bascule.config.pricing import Prices as Prices
from bascule.config.pricing import Rates as Rates
from bascule.config.privacy import Privacy as Privacy
from bascule.config.protection import Protect as Protect
from bascule.config.protection import Protection as Protection
from bascule.config.request import Request
from bascule.config.routing import Dear, Sticky, TierName
from bascule.config.runaway import Runaway
from bascule.config.scalars import DatabaseRef, DayMs, Name, NanoUsd, Retention, ScopeText, SecretRef
from bascule.config.section import Count, Seconds, Section, Share
from bascule.config.serving import Data as Data
from bascule.config.serving import DialectName as DialectName
from bascule.config.serving import Endpoint as Endpoint
from bascule.config.serving import Model as Model
from bascule.config.serving import Provider as Provider
from bascule.config.serving import Timeouts as Timeouts
from bascule.config.strategies import Strategies, Word
from bascule.config.telemetry import Telemetry
from bascule.model.policy import BudgetMode, BudgetWindow, Objective, OnExhausted, Preset, ServingMode


class Limits(Section, frozen=True, kw_only=True):
    """Every bound of the server, by name."""

    max_body_bytes: Count = 32 * 1024 * 1024
    """Of a request; a longer one gets 413."""
    max_body_values: Count = 1_000_000
    """Of the JSON in a request: numbers, texts, lists and objects; one that may hold more gets 413. Decoded, a value of
    three bytes takes a hundred."""
    max_response_bytes: Count = 64 * 1024 * 1024
    """Of an upstream body that is read whole."""
    max_response_values: Count = 4_000_000
    """Of its JSON, as with `max_body_values`; the numbers of vectors apart. One that may hold more is a fault."""
    max_in_flight: Count = 1_000
    """Requests being served at once, in each worker."""
    max_head_bytes: Count = 64 * 1024
    """Of a request's line and headers; a longer one gets 431."""
    max_arriving_bytes: Count = 256 * 1024 * 1024
    """Of all request bodies that are being read at once, in each worker; what is beyond gets 503. At least
    `max_body_bytes`, or no body of that size can come."""
    max_connections: Count = 4_096
    """Of clients, open at once in each worker; one more gets 503 and is closed."""
    reserved_connections: Count = 32
    """Beyond `max_connections`, for health, metrics and the admin API alone, each for one request."""
    head_timeout_s: Seconds = 60.0
    """For a request's headers to arrive; a slower one gets 408."""
    body_idle_s: Seconds = 60.0
    """Between two pieces of a request's body; a slower one gets 408."""
    client_stall_s: Seconds = 60.0
    """A client that takes nothing of its answer for so long is cut off, as if it had left."""
    max_connections_per_provider: Count = 200
    """Open at once to one provider; what is beyond waits for one of them."""
    max_drains: Count = 200
    """Upstream streams read on for their usage after the client has left."""
    drain_s: Seconds = 120.0
    """The longest that one of them may take."""
    max_ledger_queue: Count = 100_000
    """Ledger lines that wait for the store; beyond it new work gets 503."""


class Server(Section, frozen=True, kw_only=True):
    """The address, who may reach it, and its bounds."""

    host: str = "127.0.0.1"
    """The address to listen on. One that others can reach needs keys."""
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8787
    """0 takes a free one."""
    workers: Annotated[int, Meta(ge=1, le=256)] = 1
    """Processes that serve, all on the one port. They share keys, budgets and the ledger; rate limits and caches are
    each worker's own."""
    drain_timeout_s: Annotated[float, Meta(ge=0, le=86_400)] = 600.0
    """How long a stop waits for requests in flight, in whole seconds (rounded up); 0: not at all."""
    allowed_hosts: tuple[str, ...] = ()
    """Host headers that are answered besides the loopback names and `host` itself."""
    allowed_origins: tuple[str, ...] = ()
    """Browser origins that may call, e.g. `https://tools.example.com`."""
    usage_cost: bool = True
    """Splice `usage.cost` (USD) into answers whose dialect can bear it."""
    limits: Limits = Limits()


class Baseline(Section, frozen=True, kw_only=True):
    """What savings are measured against."""

    model: Name
    """The model whose price for the same tokens savings are measured against."""


class ProviderFilter(Section, frozen=True, kw_only=True):
    """Providers by their names in this file."""

    allow: tuple[Name, ...] = ()
    """Only these; empty for all."""
    deny: tuple[Name, ...] = ()
    """None of these."""


class DataConstraint(Section, frozen=True, kw_only=True):
    """What must be known of how data is handled; an unknown fact meets no constraint."""

    retention: Retention | None = None
    """`none`, or the longest that is accepted, e.g. `30d`."""
    training: bool | None = None
    """`false`: only where it is known that nothing is trained on."""
    regions: tuple[str, ...] = ()
    """Only these; empty for all."""
    providers: ProviderFilter = ProviderFilter()
    zdr: bool = False
    """Only with zero data retention."""
    quantizations: tuple[str, ...] = ()
    """Only these; empty for all."""


Floor = Share | str
"""A number, or the name of one of `quality_levels`."""


class Rule(Section, frozen=True, kw_only=True):
    """What is given replaces the route's own where `when` is true."""

    when: str
    """CEL over the facts of a request, e.g. `task == "security_audit"` or `has_image`."""
    candidates: tuple[Name, ...] | None = None
    """Instead of the route's."""
    objective: Objective | None = None
    """Instead of the route's."""
    quality: Floor | None = None
    """Instead of the route's."""
    tiers: Annotated[tuple[TierName, ...], Meta(min_length=1)] | None = None
    """Instead of the route's."""
    max_cost_nanousd: NanoUsd | None = field(name="max_cost_usd", default=None)
    """Instead of the route's."""
    refuse: str | None = None
    """Refuse with this message."""


class Route(Section, frozen=True, kw_only=True):
    """A virtual model: who may serve it, and what decides."""

    candidates: Annotated[tuple[Name, ...], Meta(min_length=1)]
    """Models of the configuration or the catalog, or `provider/upstream-model`; no routes."""
    preset: Preset | None = None
    """`cost`, `balanced` or `quality`: floors by the kind of work, and an objective; what is written beside it wins."""
    objective: Objective | None = None
    """What decides among those that are good enough. Left out: the preset's, else `cheapest`."""
    quality: Floor | None = None
    """The floor: a candidate below it, or of unknown quality, is not good enough."""
    max_cost_nanousd: NanoUsd | None = field(name="max_cost_usd", default=None)
    """Bounds what one attempt may hold."""
    max_output_tokens: Count | None = None
    """Of each answer."""
    tiers: tuple[TierName, ...] = ()
    """Only models of these; empty for all."""
    max_ttft_s: Seconds | None = None
    """Candidates whose p90 of the time to first content is longer of late go behind the others."""
    dear: Dear | None = None
    sessions: Sticky = Sticky()
    data: DataConstraint = DataConstraint()
    protect: Protect = Protect()
    rules: tuple[Rule, ...] = ()
    """The first that is true is applied."""
    hedge: Hedge | None = None
    content_filter: Literal["stop", "failover"] = "stop"
    """When a provider refuses a request for its content: `stop` is its answer, `failover` asks the next candidate."""
    strategy: Word | Strategies = "single"
    """How many models work on one request: `single`, `race`, or a strategy with its settings."""
    evidence: EvidenceConfig | None = None
    """Who may come to serve it by proving that it is good enough."""
    classify: bool = False
    """Where neither the header nor the plain rules know the task, the shipped classifier says it, or that it is unsure.
    About 0.3 ms for each such request; needs the extra `routing`."""
    learned: LearnedConfig | None = None
    """A router that was trained on outcomes orders the candidates that are good enough, in the objective's place."""


class Admin(Section, frozen=True, kw_only=True):
    """Who administers the gateway."""

    secret: SecretRef
    """Opens the admin API and `/metrics`."""


class Rate(Section, frozen=True, kw_only=True):
    """Limits of a key; a request beyond one gets 429."""

    rpm: Count | None = None
    """Requests a minute."""
    tpm: Count | None = None
    """Tokens a minute, both ways."""
    in_flight: Count | None = None
    """Requests at once."""


class Key(Section, frozen=True, kw_only=True):
    """A virtual key."""

    secret: SecretRef
    """What clients present."""
    org: Name | None = None
    """Charged with what it does."""
    team: Name | None = None
    """Likewise."""
    project: Name | None = None
    """Likewise."""
    user: Name | None = None
    """Likewise; wins over what the client says."""
    models: tuple[Name, ...] = ()
    """Names that may be asked for; empty for all."""
    max_output_tokens: Count | None = None
    """Of each answer."""
    rate: Rate = Rate()
    tags: dict[Name, Name] = field(default_factory=dict)
    """On everything it does."""
    role: Literal["member", "admin", "auditor", "team_admin"] = "member"
    """`member` uses models; the others also the admin API: `auditor` reads all, `team_admin` manages its team, `admin`
    everything."""
    expires_ms: DayMs | None = field(name="expires", default=None)
    """The day from which it is refused."""
    data: DataConstraint = DataConstraint()
    """For all that it asks; routes and requests can only tighten it."""
    protect: Protect = Protect()


class Budget(Section, frozen=True, kw_only=True):
    """A cap on what may be spent."""

    scope: ScopeText
    """`org:N` `team:N` `project:N` `key:N` `user:N` `session:N` `tag:K=V`; `*` for the name is one budget for each."""
    limit_nanousd: NanoUsd = field(name="limit_usd")
    """At book price."""
    window: BudgetWindow
    """UTC calendar, or for ever."""
    mode: BudgetMode = "strict"
    """`strict` is never exceeded, `expected` by the error of its estimates at most, `warn` refuses nothing."""
    alerts: tuple[Annotated[float, Meta(gt=0, le=10)], ...] = ()
    """Shares of the limit: a log line and a metric when settled spend reaches one, once a window."""
    on_exhausted: OnExhausted = "refuse"
    """All inside the limit: `refuse`, also where the dearest candidate alone does not fit; `degrade` to what can still
    be paid; `finish_session` keeps the last tenth for sessions that run."""


class ExactCache(Section, frozen=True, kw_only=True):
    """Answers to the very same request."""

    enabled: bool = True
    """Whether answers at temperature 0 and without tools are kept."""
    ttl_s: Annotated[float, Meta(gt=0)] = 86_400.0
    """How long."""
    max_bytes: Count = 64 * 1024 * 1024
    """Of all that is kept."""
    max_entry_bytes: Count = 1024 * 1024
    """Of one answer."""
    persist: bool = False
    """Keep it on disk."""


class SemanticCache(Section, frozen=True, kw_only=True):
    """Answers to similar requests."""

    enabled: bool = False
    """Whether similar requests share answers."""
    threshold: Share = 0.95
    """How similar."""


class PromptCacheAlert(Section, frozen=True, kw_only=True):
    """When a session's prompt cache has silently stopped: a log line and a metric, once each time."""

    enabled: bool = True
    """Whether sessions are watched."""
    high_share: Share = 0.5
    """A request is warm that reads this share of its input from the cache, or more."""
    low_share: Share = 0.05
    """And cold that reads this share or less."""
    warm_requests: Count = 5
    """Warm ones that a session must have had."""
    cold_requests: Count = 3
    """Cold ones in a row that are told of."""
    least_tokens: Count = 8_000
    """Requests with less input are not looked at."""
    lifetime_s: Seconds = 300.0
    """After a longer pause a cold request is expected, as it is after another model or provider."""


class PromptCache(Section, frozen=True, kw_only=True):
    """The providers' own caches of prompts."""

    inject: Literal["auto", "off", "always"] = "auto"
    """Cache marks for models that cache only what is marked, where the client set none: `auto` in requests that are
    translated and likely to come again, `always` also in those relayed as they are and those asked once, `off` never.
    See caching.md."""
    alert: PromptCacheAlert = PromptCacheAlert()


class Cache(Section, frozen=True, kw_only=True):
    """Three kinds of caches."""

    exact: ExactCache = ExactCache()
    semantic: SemanticCache = SemanticCache()
    prompt: PromptCache = PromptCache()


class ResponseStore(Section, frozen=True, kw_only=True):
    """Answers that were translated, for requests that go on from them. In memory only, each for its own key."""

    enabled: bool = False
    """Whether answers are kept, unless their request says `store: false`."""
    ttl_s: Annotated[float, Meta(gt=0)] = 86_400.0
    """How long."""
    max_entries: Count = 10_000
    """How many."""
    max_bytes: Count = 64 * 1024 * 1024
    """Of all that is kept."""


class Responses(Section, frozen=True, kw_only=True):
    """OpenAI's Responses API."""

    store: ResponseStore = ResponseStore()


class Config(Section, frozen=True, kw_only=True):
    """bascule.yaml."""

    server: Server = Server()
    data_dir: str = ".bascule"
    """Journals, ledger and caches; relative to this file's folder."""
    durability: Literal["process", "power"] = "process"
    """`process` survives `kill -9`; `power` also a power cut, by an fsync in groups."""
    mode: ServingMode = "enforce"
    """`observe` measures and explains, and refuses and changes nothing."""
    database: DatabaseRef | None = None
    """PostgreSQL for several replicas: `env:NAME` or `file:PATH` of a URL, or `postgresql://user@host/name` without a
    password (which then comes from PGPASSWORD or PGPASSFILE). Null: SQLite in `data_dir`."""
    postgres: Postgres = Postgres()
    privacy: Privacy = Privacy()
    protection: Protection = Protection()
    baseline: Baseline | None = None
    providers: dict[Name, Provider] = field(default_factory=dict)
    """Where requests can be sent."""
    models: dict[Name, Model] = field(default_factory=dict)
    """Adds to, and wins over, the shipped catalog."""
    routes: dict[Name, Route] = field(default_factory=dict)
    """Virtual models, by the name that clients ask for."""
    aliases: dict[Name, Name] = field(default_factory=dict)
    """Another name for a route or a model. `claude-*` stands for all names that begin so; an exact name wins, then the
    longest pattern. Patterns are not listed under /v1/models."""
    quality_levels: dict[Name, Share] = field(default_factory=dict)
    """Numbers for the names of floors; `low`, `medium` and `high` have defaults."""
    contracts: tuple[Contract, ...] = ()
    """What is really paid. The first that covers a use applies."""
    admin: Admin | None = None
    keys: dict[Name, Key] = field(default_factory=dict)
    """Virtual keys; more are made with `bascule keys`."""
    budgets: tuple[Budget, ...] = ()
    """Caps; more are made with `bascule budgets`. All that match apply."""
    leases: Leases = Leases()
    cache: Cache = Cache()
    responses: Responses = Responses()
    telemetry: Telemetry = Telemetry()
    overload: Overload = Overload()
    idempotency: Idempotency = Idempotency()
    retry: Retry = Retry()
    request: Request = Request()
    runaway: Runaway = Runaway()
    alerts: Alerts = Alerts()
    breaker: Breaker = Breaker()
    outlier: Outlier = Outlier()


QUALITY_LEVELS = {"low": 0.5, "medium": 0.7, "high": 0.85}
"""Defaults of `quality_levels`."""
