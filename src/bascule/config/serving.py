"""The shape of who serves in bascule.yaml: providers, and models at their endpoints."""

from typing import Annotated, Literal

from msgspec import Meta, field

from bascule.config.pricing import Prices
from bascule.config.scalars import ApiVersion, BaseUrl, DayMs, Name, Retention, SecretRef
from bascule.config.section import Count, Seconds, Section, Share
from bascule.model.catalog import Modality

DialectName = Literal["openai_chat", "openai_responses", "anthropic_messages", "gemini", "cohere", "bedrock_converse"]


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
    api_keys: tuple[SecretRef, ...] = ()
    """Instead of `api_key`, several that take turns, session by session; one that is refused is left out alone."""
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
    concurrency: Count | None = None
    """Requests that it serves at once, from each worker; more go to the next candidate instead of waiting there."""
    tokens_per_image: Count | None = None
    """The most that one image of any size may cost."""


class Model(Section, frozen=True, kw_only=True):
    """A model by the name that clients ask for; with a `price` and no `endpoints`, one that only imports name."""

    endpoints: Annotated[tuple[Endpoint, ...], Meta(min_length=1)] = ()
    """In order of preference. Left out: the model cannot be asked for, its `price` is for imports alone."""
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
    """Whether it reasons before it answers. `false` is believed: strict budgets then hold no thinking beside the answer
    where a provider does not count it within `max_tokens` (`dashscope`)."""
    quality: Share | dict[str, Share] | None = None
    """Declared quality, 0 to 1, or by task with `default` for all others."""
    quality_source: str | None = None
    """Where the figure is from."""
    tier: Literal["commodity", "mid", "premium"] | None = None
    """Left out: by its price. Under 1 USD per million tokens (three of input to one of output) is `commodity`, from 5
    on `premium`."""
    retires_ms: DayMs | None = field(name="retires", default=None)
    """The day from which routes leave it out."""
    successor: Name | None = None
    """What to use then."""
