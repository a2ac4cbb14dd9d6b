"""Models and the endpoints that serve them, as facts a decision can read."""

from typing import Literal

from msgspec import Struct

from bascule.model.money import PriceTimeline

FetchPolicy = Literal["pass", "public_only", "refuse"]
Modality = Literal["text", "image", "audio", "video", "document"]


class DataFacts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an endpoint does with data, and where. `None` is unknown, which no constraint accepts."""

    retention: str | None = None
    """`none`, or how long at most, e.g. `30d`; unknown is None."""
    training: bool | None = None
    region: str | None = None
    """`us`, `eu`, `cn`, `local`, …"""
    jurisdiction: str | None = None
    operator: str | None = None
    zdr: bool | None = None
    """Zero data retention is on offer for this endpoint."""
    source: str | None = None
    """Where the fact was read, and when."""


class HardwareFacts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    quantization: str | None = None
    hardware: str | None = None
    licence: str | None = None


class BoundFacts(Struct, frozen=True, kw_only=True):
    """Constants of a provider's sound upper bound on input tokens."""

    per_request_tokens: int = 64
    per_message_tokens: int = 16
    per_tool_tokens: int = 64
    tools_preamble_tokens: int = 600
    per_vendor_tool_tokens: int = 2_000
    """A tool whose prompt the provider writes. Anthropic documents 245 to 735 tokens for each of `bash`, `text_editor`
    and `computer`, and 499 of system prompt for the last; newer tokenizers make up to 1.35 times as many."""
    tokens_per_image: int = 6_000
    """The most that one image of any size may cost; pixel-based bounds may be tighter."""
    image_rule: Literal["anthropic", "openai"] | None = None
    """Whose published rule bounds an image by its pixels; None counts `tokens_per_image` for each."""
    context_tokens: int | None = None
    """The largest context window of any of the provider's models, where one is documented."""
    thinks_beside_cap: bool = False
    """Its models may think unasked, and `max_tokens` limits the answer alone."""
    unasked: tuple[str, ...] = ()
    """What the model is billed for whatever a request says, and what no price of it covers (`prices/unasked.py`)."""


class Endpoint(Struct, frozen=True, kw_only=True):
    """One model at one provider: where a request can be sent."""

    id: str
    """`provider/upstream-model`, unique in a configuration."""
    provider: str
    """The provider's name in the configuration."""
    dialect: str
    upstream_model: str
    also: tuple[str, ...] = ()
    """Further dialects that it speaks as well as `dialect`."""
    credentials: int = 1
    """How many credentials its provider has; 1 also where it needs none."""
    prices: PriceTimeline | None = None
    data: DataFacts = DataFacts()
    hardware: HardwareFacts = HardwareFacts()
    bounds: BoundFacts = BoundFacts()
    context_window: int | None = None
    max_output: int | None = None
    speed_tokens_per_s: float | None = None
    ttft_s: float | None = None
    concurrency: int | None = None
    """Requests that it serves at once; more go to the next candidate. None: not limited."""
    reports_stream_usage: bool = True
    fetching: FetchPolicy = "pass"
    """What requests may name by address for its provider to fetch."""
    free: bool = False
    """A price of zero that was declared as such (a local model), not an unknown one."""
    fees: Literal["none", "searches_stated", "unknown"] = "none"
    """Beside the tokens of a free model: none at a server of one's own; at somebody else's what the price does not
    state is unknown."""


class Model(Struct, frozen=True, kw_only=True):
    """A model by the name that clients use, with the endpoints that serve it in order of preference."""

    name: str
    endpoints: tuple[Endpoint, ...]
    context_window: int | None = None
    max_output: int | None = None
    input: tuple[Modality, ...] = ("text",)
    tools: bool | None = None
    json_schema: bool | None = None
    reasoning: bool | None = None
    quality: dict[str, float] = {}
    """Declared quality by task, `default` for all others; 0 to 1."""
    quality_source: str | None = None
    tier: Literal["commodity", "mid", "premium"] | None = None
    """Declared; None: by its price (`decide.tier`)."""
    retires_ms: int | None = None
    successor: str | None = None
    declared: bool = False
    """True where it stands in the configuration, False where it comes from the catalog."""
