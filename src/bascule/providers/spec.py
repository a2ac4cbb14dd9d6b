"""What Bascule knows about a provider, as one value."""

from typing import Any, Literal

from msgspec import Struct, field

from bascule.model.catalog import BoundFacts, DataFacts
from bascule.model.outcome import ErrorClass

Surface = Literal["chat", "chat_stream", "responses", "embeddings", "models", "count_tokens"]
Auth = Literal["bearer", "x-api-key", "x-goog-api-key", "api-key", "sigv4", "none"]
"""`sigv4`: a key goes as bearer; without one each request is signed with AWS credentials."""
StreamUsage = Literal["stream_options", "always", "none"]
Disconnect = Literal["drain", "cancel"]

OPENAI_PATHS: dict[Surface, str] = {
    "chat": "/chat/completions",
    "embeddings": "/embeddings",
    "models": "/models",
}
RESPONSES_PATHS: dict[Surface, str] = {**OPENAI_PATHS, "chat": "/responses"}
"""Of a provider that is asked in the Responses dialect for everything."""
ANTHROPIC_PATHS: dict[Surface, str] = {
    "chat": "/v1/messages",
    "models": "/v1/models",
    "count_tokens": "/v1/messages/count_tokens",
}
GEMINI_PATHS: dict[Surface, str] = {
    "chat": "/models/{model}:generateContent",
    "chat_stream": "/models/{model}:streamGenerateContent?alt=sse",
    "embeddings": "/models/{model}:batchEmbedContents",
    "models": "/models",
    "count_tokens": "/models/{model}:countTokens",
}

COHERE_PATHS: dict[Surface, str] = {"chat": "/v2/chat", "embeddings": "/v2/embed", "models": "/v1/models"}
BEDROCK_PATHS: dict[Surface, str] = {
    "chat": "/model/{model}/converse",
    "chat_stream": "/model/{model}/converse-stream",
}

ANTHROPIC_BOUNDS = BoundFacts(image_rule="anthropic", context_tokens=1_000_000)
"""Images end at 4,784 tokens (2,576 pixels, platform.claude.com/docs/en/build-with-claude/vision)."""
OPENAI_BOUNDS = BoundFacts(tokens_per_image=50_000, image_rule="openai")
"""The dearest image among OpenAI's models: 2,833 tokens and 5,667 for each of at most 8 tiles (gpt-4o-mini)."""
ANY_VENDOR_BOUNDS = BoundFacts(tokens_per_image=50_000)
"""Where models of all vendors are sold: the dearest image of any, whatever its size."""
OPEN_WEIGHT_BOUNDS = BoundFacts(tokens_per_image=17_000)
"""The dearest image among open-weight models: 16,384 tokens (Qwen-VL at its highest default resolution)."""

OWN_SERVER = DataFacts(
    retention="none",
    training=False,
    region="local",
    operator="self",
    source="your own server keeps what you tell it to",
)


def seat(operator: str, jurisdiction: str) -> DataFacts:
    """Data facts of a provider of which only the operating company's seat is known."""
    return DataFacts(
        jurisdiction=jurisdiction,
        operator=operator,
        source="the operator's seat; what is kept and trained on was not read",
    )


class ProviderSpec(Struct, frozen=True, kw_only=True):
    """A provider: dialect, address, credentials, deviations from its dialect, and facts about its data handling.

    Everything here was read in documentation; `certified` stays None until `bascule certify` has proved it with
    real calls. A fact that nobody has read is None, and no constraint accepts None.
    """

    name: str
    title: str
    dialect: str
    base_url: str | None
    """As the vendor's own SDK means it. `{NAME}` stands for an environment variable. None: always the user's own."""
    base_url_env: str | None = None
    """The environment variable that SDKs read for the address, e.g. `AZURE_OPENAI_ENDPOINT`."""
    auth: Auth = "bearer"
    key_envs: tuple[str, ...] = ()
    """Environment variables that may hold the key, the vendor's own first."""
    key_required: bool = True
    paths: dict[Surface, str] = field(default_factory=lambda: OPENAI_PATHS)
    """Path below the base URL for each surface that is served, with a query of its own where it needs one; `{model}` is
    the upstream model, percent-encoded. `chat_stream` where streams have another path than `chat`; `responses` where
    `also` has that dialect."""
    also: tuple[str, ...] = ()
    """Further chat dialects that clients are relayed in as they are, instead of being translated to `dialect`."""
    supersedes: tuple[str, ...] = ()
    """Presets of the same service behind the same key, which are not used beside this one without a file."""
    by_deployment: bool = False
    """The upstream model is a name that the user gave (Azure), so the catalog's names say nothing here."""
    query: str = ""
    """A fixed query, e.g. `api-version=2024-10-21`."""
    forward_query: frozenset[str] = frozenset()
    """Names of client query parameters that go on upstream. All others stay: `?key=` is a credential."""
    default_headers: tuple[tuple[bytes, bytes], ...] = ()
    """Sent only where the client's forwarded headers do not have them. Names are lower-case."""
    max_tokens_field: str = "max_tokens"
    stream_usage: StreamUsage = "stream_options"
    reports_stream_usage: bool = True
    quirks: frozenset[str] = frozenset()
    """Names that the codecs know, see `dialects.base.Target.quirks`."""
    error_classes: dict[str, ErrorClass] = {}
    """Where the dialect's own reading of an error is wrong for this provider: by code, or by status as text."""
    data: DataFacts = DataFacts()
    bounds: BoundFacts = BoundFacts()
    price_provider: str | None = None
    """The provider's id in the price book; None has no prices there."""
    disconnect: Disconnect = "drain"
    """When the client leaves: read on for the exact usage, or close the connection and estimate."""
    local: bool = False
    certified: str | None = None
    """The date (ISO) on which real calls proved this value; None is "from the spec only"."""
    notes: str = ""

    @property
    def key_env(self) -> str | None:
        """The vendor's own name for the variable that holds the key."""
        return self.key_envs[0] if self.key_envs else None

    @property
    def standing(self) -> str:
        return f"certified {self.certified}" if self.certified else "from the spec only"


_COMPATIBLE: dict[str, dict[str, Any]] = {
    "openai_chat": {"bounds": OPEN_WEIGHT_BOUNDS},
    "openai_responses": {"paths": RESPONSES_PATHS, "stream_usage": "always", "bounds": OPENAI_BOUNDS},
    "anthropic_messages": {
        "auth": "x-api-key",
        "paths": ANTHROPIC_PATHS,
        "forward_query": frozenset({"beta"}),
        "default_headers": ((b"anthropic-version", b"2023-06-01"),),
        "stream_usage": "always",
    },
    "gemini": {"auth": "x-goog-api-key", "paths": GEMINI_PATHS, "stream_usage": "always"},
    "bedrock_converse": {
        "auth": "sigv4",
        "paths": BEDROCK_PATHS,
        "stream_usage": "always",
        "bounds": ANY_VENDOR_BOUNDS,
    },
    "cohere": {"paths": COHERE_PATHS, "stream_usage": "always", "bounds": ANY_VENDOR_BOUNDS},
}
"""What each dialect's servers have in common, where it is not a spec's default."""


def compatible(name: str, dialect: str, base_url: str) -> ProviderSpec:
    """The spec of any server that speaks a dialect and has no preset: the dialect's own defaults."""
    return ProviderSpec(
        name=name, title=name, dialect=dialect, base_url=base_url, key_required=False, **_COMPATIBLE[dialect]
    )
