"""The shape of bascule.yaml: what may stand where. Decoder, JSON Schema and documentation are all made from it.

Money and prices are integers already (see `scalars`): `limit_usd: 0.25` is `limit_nanousd == 250_000_000`.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from bascule.config.pricing import Contract as Contract
from bascule.config.pricing import Price as Price
from bascule.config.pricing import Prices as Prices
from bascule.config.pricing import Rates as Rates
from bascule.config.scalars import ApiVersion, BaseUrl, DayMs, Name, NanoUsd, Retention, ScopeText, SecretRef
from bascule.config.section import Count, Seconds, Section, Share
from bascule.model.catalog import Modality
from bascule.model.policy import BudgetMode, BudgetWindow, Objective, OnExhausted, ServingMode

DialectName = Literal["openai_chat", "openai_responses", "anthropic_messages", "gemini", "cohere", "bedrock_converse"]


class Limits(Section, frozen=True, kw_only=True):
    """Every bound of the server, by name."""

    max_body_bytes: Count = 32 * 1024 * 1024
    """Of a request; a longer one gets 413."""
    max_response_bytes: Count = 64 * 1024 * 1024
    """Of an upstream body that is read whole."""
    max_in_flight: Count = 1_000
    """Requests being served at once, in each worker."""
    max_head_bytes: Count = 64 * 1024
    """Of a request's line and headers; a longer one gets 431."""
    max_arriving_bytes: Count = 256 * 1024 * 1024
    """Of all request bodies that are being read at once, in each worker; what is beyond gets 503. At least
    `max_body_bytes`, or no body of that size can come."""
    max_connections: Count = 4_096
    """Of clients, open at once in each worker; one more gets 503 and is closed."""
    head_timeout_s: Seconds = 60.0
    """For a request's headers to arrive; a slower one gets 408."""
    body_idle_s: Seconds = 60.0
    """Between two pieces of a request's body; a slower one gets 408."""
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
    """Processes that serve."""
    drain_timeout_s: Annotated[float, Meta(ge=0, le=86_400)] = 600.0
    """How long a stop waits for requests in flight, in whole seconds (rounded up); 0: not at all."""
    allowed_hosts: tuple[str, ...] = ()
    """Host headers that are answered besides the loopback names and `host` itself."""
    allowed_origins: tuple[str, ...] = ()
    """Browser origins that may call, e.g. `https://tools.example.com`."""
    usage_cost: bool = True
    """Splice `usage.cost` (USD) into answers whose dialect can bear it."""
    limits: Limits = Limits()


class Privacy(Section, frozen=True, kw_only=True):
    """What may be recorded."""

    record_content: Literal["none", "metadata", "full"] = "none"
    """What of requests and answers goes to disk."""


class Baseline(Section, frozen=True, kw_only=True):
    """What savings are measured against."""

    model: Name
    """The model whose price for the same tokens savings are measured against."""


class Timeouts(Section, frozen=True, kw_only=True):
    """Limits of one upstream exchange, in seconds."""

    connect_s: Seconds = 5.0
    """To connect, TLS included."""
    first_byte_s: Seconds | None = None
    """None: 120 for a stream, and 600 for a whole answer, whose first byte comes when all of it is generated."""
    idle_s: Seconds = 60.0
    """Between two reads of an answer that has begun."""
    total_s: Seconds = 900.0
    """For the whole exchange."""


class Data(Section, frozen=True, kw_only=True):
    """What an endpoint does with data. What is left out keeps the preset's fact, or stays unknown."""

    retention: Retention | None = None
    """`none`, or how long data is kept at most."""
    training: bool | None = None
    """Whether it trains models on what it is sent."""
    region: str | None = None
    """Where it is processed: `eu`, `us`, `local`, …"""
    jurisdiction: str | None = None
    """The law that the operator is under."""
    operator: str | None = None
    """Who runs it."""
    zdr: bool | None = None
    """Whether zero data retention is agreed."""


class Provider(Section, frozen=True, kw_only=True):
    """A preset with what differs from it, or any compatible server by `dialect` and `base_url`."""

    preset: Name | None = None
    """The preset, where the entry's own name is another."""
    dialect: DialectName | None = None
    """What it speaks, where there is no preset."""
    base_url: BaseUrl | None = None
    """As the vendor's own SDK means it: OpenAI's ends in `/v1`, Anthropic's does not."""
    api_key: SecretRef | None = None
    """Where its key is. Left out: the preset's variable, e.g. `OPENAI_API_KEY`."""
    auth: Literal["bearer", "x-api-key", "api-key", "none"] | None = None
    """How the key is sent."""
    api_version: ApiVersion | None = None
    """Azure's `api-version`."""
    headers: dict[Name, str] = field(default_factory=dict)
    """Sent with each request. Not for credentials."""
    data: Data = Data()
    quantization: str | None = None
    """E.g. `fp8`; unknown where left out."""
    hardware: str | None = None
    """What it runs on."""
    licence: str | None = None
    """Of the models' weights."""
    timeouts: Timeouts = Timeouts()
    disconnect: Literal["drain", "cancel"] | None = None
    """When a client leaves its stream: `drain` reads on for the exact usage, `cancel` closes and estimates. Left out:
    the preset's."""
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] | None = None
    """What the cap on the answer is called there."""
    stream_usage: Literal["stream_options", "always", "none"] | None = None
    """How it is asked for usage in a stream; `always` sends it unasked, `none` never."""
    quirks: tuple[str, ...] = ()
    """Added to the preset's."""
    price_provider: Name | None = None
    """Whose list prices apply, by its id in the price book."""
    price: Prices | None = None
    """For every model of this provider that has none of its own, e.g. `{input: 0, output: 0}` for your own server."""


class Endpoint(Section, frozen=True, kw_only=True):
    """One model at one provider."""

    provider: Name
    """A name of `providers`."""
    model: Name
    """The provider's own name for it."""
    price: Prices | None = None
    """Of this endpoint alone; else the model's, the provider's, the price book's."""
    data: Data = Data()
    """What differs from the provider."""
    quantization: str | None = None
    """E.g. `fp8`."""
    hardware: str | None = None
    """What it runs on."""
    licence: str | None = None
    """Of the model's weights."""
    context_window: Count | None = None
    """Tokens, where this endpoint has its own limit."""
    max_output: Count | None = None
    """Tokens, where this endpoint has its own limit."""
    speed_tokens_per_s: Annotated[float, Meta(gt=0)] | None = None
    """For the objective `fastest`, until it is measured."""
    ttft_s: Annotated[float, Meta(gt=0)] | None = None
    """Time to the first token, likewise."""
    tokens_per_image: Count | None = None
    """The most that one image of any size may cost."""


class Model(Section, frozen=True, kw_only=True):
    """A model by the name that clients ask for."""

    endpoints: Annotated[tuple[Endpoint, ...], Meta(min_length=1)]
    """In order of preference."""
    price: Prices | None = None
    """Left out: the price book's."""
    context_window: Count | None = None
    """Tokens of request and answer together."""
    max_output: Count | None = None
    """Tokens of an answer at most."""
    input: tuple[Modality, ...] = ("text",)
    """Kinds of input that it takes."""
    tools: bool | None = None
    """Whether it calls tools; left out: unknown."""
    json_schema: bool | None = None
    """Whether answers can be held to a schema."""
    reasoning: bool | None = None
    """Whether it reasons before it answers."""
    quality: Share | dict[str, Share] | None = None
    """Declared quality, 0 to 1, or by task with `default` for all others."""
    quality_source: str | None = None
    """Where the figure is from."""
    retires_ms: DayMs | None = field(name="retires", default=None)
    """The day from which routes leave it out."""
    successor: Name | None = None
    """What to use then."""


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
    max_cost_nanousd: NanoUsd | None = field(name="max_cost_usd", default=None)
    """Instead of the route's."""
    refuse: str | None = None
    """Refuse with this message."""


class Route(Section, frozen=True, kw_only=True):
    """A virtual model: who may serve it, and what decides."""

    candidates: Annotated[tuple[Name, ...], Meta(min_length=1)]
    """Models of the configuration or the catalog, or `provider/upstream-model`; no routes."""
    objective: Objective = "cheapest"
    """What decides among those that are good enough."""
    quality: Floor | None = None
    """The floor: a candidate below it, or of unknown quality, is not good enough."""
    max_cost_nanousd: NanoUsd | None = field(name="max_cost_usd", default=None)
    """Bounds what one attempt may hold."""
    max_output_tokens: Count | None = None
    """Of each answer."""
    data: DataConstraint = DataConstraint()
    rules: tuple[Rule, ...] = ()
    """The first that is true is applied."""
    strategy: str | dict[str, Any] = "single"
    """How many models work on one request."""


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
    """All inside the limit: `refuse`; `degrade` to what can still be paid; `finish_session` keeps the last tenth for
    sessions that run."""


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


class PromptCache(Section, frozen=True, kw_only=True):
    """The providers' own caches of prompts."""

    inject: Literal["auto", "off"] = "auto"
    """Whether cache marks are added to requests. `auto` does nothing yet."""


class Cache(Section, frozen=True, kw_only=True):
    """Three kinds of caches."""

    exact: ExactCache = ExactCache()
    semantic: SemanticCache = SemanticCache()
    prompt: PromptCache = PromptCache()


class Retry(Section, frozen=True, kw_only=True):
    """How often a failed attempt is followed by another."""

    max_attempts: Annotated[int, Meta(ge=1, le=20)] = 3
    """Upstream attempts for one request, the first included."""
    retry_after_cap_s: Annotated[float, Meta(ge=0, le=3_600)] = 60.0
    """A longer Retry-After than this is not waited for."""


class Config(Section, frozen=True, kw_only=True):
    """bascule.yaml."""

    server: Server = Server()
    data_dir: str = ".bascule"
    """Journals, ledger and caches; relative to this file's folder."""
    durability: Literal["process", "power"] = "process"
    """`process` survives `kill -9`; `power` also a power cut, by an fsync in groups."""
    mode: ServingMode = "enforce"
    """`observe` measures and explains, and refuses and changes nothing."""
    database: str | None = None
    """`postgresql://…` for several replicas."""
    privacy: Privacy = Privacy()
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
    cache: Cache = Cache()
    retry: Retry = Retry()


QUALITY_LEVELS = {"low": 0.5, "medium": 0.7, "high": 0.85}
"""Defaults of `quality_levels`."""
