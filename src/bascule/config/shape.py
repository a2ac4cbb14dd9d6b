"""The shape of bascule.yaml: what may stand where. Decoder, JSON Schema and documentation are all made from it.

Money and prices are integers already (see `scalars`): `limit_usd: 0.25` is `limit_nanousd == 250_000_000`.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from bascule.config.scalars import (
    ApiVersion,
    BaseUrl,
    ClockS,
    DayMs,
    Name,
    NanoUsd,
    PicoUsdEach,
    PicoUsdPerToken,
    Retention,
    ScopeText,
    SecretRef,
)
from bascule.model.catalog import Modality
from bascule.model.policy import BudgetMode, BudgetWindow, Objective, OnExhausted, ServingMode

Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]

DialectName = Literal["openai_chat", "openai_responses", "anthropic_messages", "gemini", "cohere", "bedrock_converse"]


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A mapping of the file. Keys that it does not name are mistakes."""


class Limits(Section, frozen=True, kw_only=True):
    """Every bound of the server, by name."""

    max_body_bytes: Count = 32 * 1024 * 1024
    max_response_bytes: Count = 64 * 1024 * 1024
    """Of an upstream body that is read whole."""
    max_in_flight: Count = 1_000
    """Requests being served at once, in each worker."""
    max_connections_per_provider: Count = 200
    max_drains: Count = 200
    """Upstream streams read on for their usage after the client has left."""
    drain_s: Seconds = 120.0
    """The longest that one of them may take."""
    max_ledger_queue: Count = 100_000
    """Ledger lines that wait for the store; beyond it new work gets 503."""


class Server(Section, frozen=True, kw_only=True):
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8787
    workers: Annotated[int, Meta(ge=1, le=256)] = 1
    drain_timeout_s: Annotated[float, Meta(ge=0, le=86_400)] = 600.0
    allowed_hosts: tuple[str, ...] = ()
    """Host headers that are answered besides the loopback names and `host` itself."""
    allowed_origins: tuple[str, ...] = ()
    """Browser origins that may call, e.g. `https://tools.example.com`."""
    usage_cost: bool = True
    """Splice `usage.cost` (USD) into answers whose dialect can bear it."""
    limits: Limits = Limits()


class Privacy(Section, frozen=True, kw_only=True):
    record_content: Literal["none", "metadata", "full"] = "none"


class Baseline(Section, frozen=True, kw_only=True):
    model: Name


class Timeouts(Section, frozen=True, kw_only=True):
    """Limits of one upstream exchange, in seconds."""

    connect_s: Seconds = 5.0
    first_byte_s: Seconds | None = None
    """None: 120 for a stream, and 600 for a whole answer, whose first byte comes when all of it is generated."""
    idle_s: Seconds = 60.0
    total_s: Seconds = 900.0


class Data(Section, frozen=True, kw_only=True):
    """What an endpoint does with data. What is left out keeps the preset's fact, or stays unknown."""

    retention: Retention | None = None
    training: bool | None = None
    region: str | None = None
    jurisdiction: str | None = None
    operator: str | None = None
    zdr: bool | None = None


class Rates(Section, frozen=True, kw_only=True):
    """USD per million tokens; what is left out is unknown, never free."""

    input: PicoUsdPerToken | None = None
    output: PicoUsdPerToken | None = None
    cache_read: PicoUsdPerToken | None = None
    cache_write: PicoUsdPerToken | None = None
    """For five minutes, which is also the price of caches without a named duration."""
    cache_write_1h: PicoUsdPerToken | None = None
    reasoning: PicoUsdPerToken | None = None
    audio_in: PicoUsdPerToken | None = None
    audio_out: PicoUsdPerToken | None = None
    image_in: PicoUsdPerToken | None = None
    image_out: PicoUsdPerToken | None = None
    request_usd: PicoUsdEach | None = None
    web_search_usd: PicoUsdEach | None = None


class TierRates(Rates, frozen=True, kw_only=True):
    """Rates of the whole request once its billed input is above a number of tokens."""

    above_input_tokens: Count


class WindowRates(Rates, frozen=True, kw_only=True):
    """Rates inside a daily window, UTC; it may go over midnight."""

    from_s: ClockS = field(name="from")
    to_s: ClockS = field(name="to")


class Price(Rates, frozen=True, kw_only=True):
    """A price, from a day on."""

    from_ms: DayMs | None = field(name="from", default=None)
    tiers: tuple[TierRates, ...] = ()
    windows: tuple[WindowRates, ...] = ()
    variants: dict[Name, Rates] = {}
    """Other service tiers: `batch`, `flex`, `priority`, …"""


Prices = Price | tuple[Price, ...]


class Provider(Section, frozen=True, kw_only=True):
    """A preset with what differs from it, or any compatible server by `dialect` and `base_url`."""

    preset: Name | None = None
    """The preset, where the entry's own name is another."""
    dialect: DialectName | None = None
    base_url: BaseUrl | None = None
    api_key: SecretRef | None = None
    auth: Literal["bearer", "x-api-key", "api-key", "none"] | None = None
    api_version: ApiVersion | None = None
    """Azure's `api-version`."""
    headers: dict[Name, str] = {}
    """Sent with each request. Not for credentials."""
    data: Data = Data()
    quantization: str | None = None
    hardware: str | None = None
    licence: str | None = None
    timeouts: Timeouts = Timeouts()
    disconnect: Literal["drain", "cancel"] | None = None
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] | None = None
    stream_usage: Literal["stream_options", "always", "none"] | None = None
    quirks: tuple[str, ...] = ()
    """Added to the preset's."""
    price_provider: Name | None = None
    """Whose list prices apply, by its id in the price book."""
    price: Prices | None = None
    """For every model of this provider that has none of its own, e.g. `{input: 0, output: 0}` for your own server."""


class Endpoint(Section, frozen=True, kw_only=True):
    provider: Name
    model: Name
    """The provider's own name for it."""
    price: Prices | None = None
    data: Data = Data()
    quantization: str | None = None
    hardware: str | None = None
    licence: str | None = None
    context_window: Count | None = None
    max_output: Count | None = None
    speed_tokens_per_s: Annotated[float, Meta(gt=0)] | None = None
    ttft_s: Annotated[float, Meta(gt=0)] | None = None
    tokens_per_image: Count | None = None
    """The most that one image of any size may cost."""


class Model(Section, frozen=True, kw_only=True):
    endpoints: Annotated[tuple[Endpoint, ...], Meta(min_length=1)]
    """In order of preference."""
    price: Prices | None = None
    context_window: Count | None = None
    max_output: Count | None = None
    input: tuple[Modality, ...] = ("text",)
    tools: bool | None = None
    json_schema: bool | None = None
    reasoning: bool | None = None
    quality: Share | dict[str, Share] | None = None
    """Declared quality, 0 to 1, or by task with `default` for all others."""
    quality_source: str | None = None
    retires_ms: DayMs | None = field(name="retires", default=None)
    successor: Name | None = None


class ProviderFilter(Section, frozen=True, kw_only=True):
    allow: tuple[Name, ...] = ()
    deny: tuple[Name, ...] = ()


class DataConstraint(Section, frozen=True, kw_only=True):
    retention: Retention | None = None
    """`none`, or the longest that is accepted, e.g. `30d`."""
    training: bool | None = None
    regions: tuple[str, ...] = ()
    providers: ProviderFilter = ProviderFilter()
    zdr: bool = False
    quantizations: tuple[str, ...] = ()


Floor = Share | str
"""A number, or the name of one of `quality_levels`."""


class Rule(Section, frozen=True, kw_only=True):
    """What is given replaces the route's own where `when` is true."""

    when: str
    candidates: tuple[Name, ...] | None = None
    objective: Objective | None = None
    quality: Floor | None = None
    max_cost_nanousd: NanoUsd | None = field(name="max_cost_usd", default=None)
    refuse: str | None = None
    """Refuse with this message."""


class Route(Section, frozen=True, kw_only=True):
    candidates: Annotated[tuple[Name, ...], Meta(min_length=1)]
    objective: Objective = "cheapest"
    quality: Floor | None = None
    max_cost_nanousd: NanoUsd | None = field(name="max_cost_usd", default=None)
    max_output_tokens: Count | None = None
    data: DataConstraint = DataConstraint()
    rules: tuple[Rule, ...] = ()
    strategy: str | dict[str, Any] = "single"


class Contract(Section, frozen=True, kw_only=True):
    """What is really paid. Kept with the configuration; prices are the list's until contracts are applied."""

    provider: Name
    from_ms: DayMs | None = field(name="from", default=None)
    to_ms: DayMs | None = field(name="to", default=None)
    discount: Share | None = None
    credit_nanousd: NanoUsd | None = field(name="credit_usd", default=None)
    commitment_nanousd: NanoUsd | None = field(name="commitment_usd", default=None)
    seats: Count | None = None
    seat_month_nanousd: NanoUsd | None = field(name="usd_per_seat_month", default=None)
    covers: tuple[str, ...] = ()
    provisioned_units: Count | None = None
    unit_hour_nanousd: NanoUsd | None = field(name="usd_per_unit_hour", default=None)


class Admin(Section, frozen=True, kw_only=True):
    secret: SecretRef


class Rate(Section, frozen=True, kw_only=True):
    rpm: Count | None = None
    tpm: Count | None = None
    in_flight: Count | None = None


class Key(Section, frozen=True, kw_only=True):
    secret: SecretRef
    org: Name | None = None
    team: Name | None = None
    project: Name | None = None
    user: Name | None = None
    models: tuple[Name, ...] = ()
    max_output_tokens: Count | None = None
    rate: Rate = Rate()
    tags: dict[Name, Name] = {}
    role: Literal["member", "admin", "auditor", "team_admin"] = "member"
    expires_ms: DayMs | None = field(name="expires", default=None)


class Budget(Section, frozen=True, kw_only=True):
    scope: ScopeText
    limit_nanousd: NanoUsd = field(name="limit_usd")
    window: BudgetWindow
    mode: BudgetMode = "strict"
    alerts: tuple[Annotated[float, Meta(gt=0, le=10)], ...] = ()
    on_exhausted: OnExhausted = "refuse"


class ExactCache(Section, frozen=True, kw_only=True):
    enabled: bool = True
    ttl_s: Annotated[float, Meta(gt=0)] = 86_400.0
    max_bytes: Count = 64 * 1024 * 1024
    max_entry_bytes: Count = 1024 * 1024
    persist: bool = False


class SemanticCache(Section, frozen=True, kw_only=True):
    enabled: bool = False
    threshold: Share = 0.95


class PromptCache(Section, frozen=True, kw_only=True):
    inject: Literal["auto", "off"] = "auto"


class Cache(Section, frozen=True, kw_only=True):
    exact: ExactCache = ExactCache()
    semantic: SemanticCache = SemanticCache()
    prompt: PromptCache = PromptCache()


class Retry(Section, frozen=True, kw_only=True):
    max_attempts: Annotated[int, Meta(ge=1, le=20)] = 3
    """Upstream attempts for one request, the first included."""
    retry_after_cap_s: Annotated[float, Meta(ge=0, le=3_600)] = 60.0
    """A longer Retry-After than this is not waited for."""


class Config(Section, frozen=True, kw_only=True):
    """bascule.yaml."""

    server: Server = Server()
    data_dir: str = ".bascule"
    durability: Literal["process", "power"] = "process"
    mode: ServingMode = "enforce"
    database: str | None = None
    privacy: Privacy = Privacy()
    baseline: Baseline | None = None
    providers: dict[Name, Provider] = {}
    models: dict[Name, Model] = {}
    routes: dict[Name, Route] = {}
    aliases: dict[Name, Name] = {}
    quality_levels: dict[Name, Share] = {}
    """Numbers for the names of floors; `low`, `medium` and `high` have defaults."""
    contracts: tuple[Contract, ...] = ()
    admin: Admin | None = None
    keys: dict[Name, Key] = {}
    budgets: tuple[Budget, ...] = ()
    cache: Cache = Cache()
    retry: Retry = Retry()


QUALITY_LEVELS = {"low": 0.5, "medium": 0.7, "high": 0.85}
"""Defaults of `quality_levels`."""
