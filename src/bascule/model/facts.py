"""What one pass over a request body tells: enough to admit, route, bound and attribute it without translating it."""

from typing import Any, Literal

from msgspec import Struct

Fetched = Literal["nothing", "outside", "inside"]
"""Where a provider must look for what a request names by its address: nowhere, in the world, or inside a network."""


class ImageFact(Struct, frozen=True):
    """One image in a request. `base64_bytes` never count as text; a URL image has no bound."""

    kind: Literal["base64", "url", "file"]
    base64_bytes: int = 0
    width: int | None = None
    """Pixels, as the header of the image's own bytes says; None where it could not be read for certain."""
    height: int | None = None
    detail: str | None = None
    """What the client asked for where the dialect knows it: `low`, `high`, `auto`, …"""


class WebTool(Struct, frozen=True):
    """A tool with which the provider itself searches or fetches, within one request."""

    kind: Literal["web_search", "web_fetch"]
    max_uses: int | None = None
    """None: as often as the model likes."""


class Facts(Struct, frozen=True, kw_only=True):
    """A request as admission and routing see it. Counts are of the client's own body."""

    model: str
    stream: bool = False
    wants_stream_usage: bool = False
    """The client asked for a usage event in the stream (always true where the dialect always has one)."""
    max_tokens: int | None = None
    """The client's own output cap, per choice."""
    n: int = 1
    text_bytes: int = 0
    """Sound upper bound on the UTF-8 bytes that become text: the body less its base64 payloads."""
    messages: int = 0
    tools: int = 0
    images: tuple[ImageFact, ...] = ()
    unbounded: tuple[str, ...] = ()
    """What cannot be bounded, in the field's words: `image_url`, `file`, `web_search`, `audio`, `mcp`, …"""
    fetches: Fetched = "nothing"
    """By the addresses of images, files and MCP servers in it, as they are written."""
    vendor_tools: int = 0
    """Among `tools`, those whose prompt the provider writes and whose work the client does (`bash`, `computer`, …)."""
    web_tools: tuple[WebTool, ...] = ()
    has_audio: bool = False
    has_document: bool = False
    has_json_schema: bool = False
    has_reasoning: bool = False
    thinking_tokens: int | None = None
    """A thinking budget that the dialect counts beside `max_tokens`; where it counts inside, None."""
    thinking: Literal["on", "off"] | None = None
    """What `enable_thinking` asks for: a switch of Qwen's API, where thinking is not within `max_tokens`."""
    prediction_bytes: int = 0
    """UTF-8 bytes of a predicted answer: its tokens are billed as output where the answer is another."""
    temperature: float | None = None
    end_user: str | None = None
    """`user` (OpenAI), `metadata.user_id` (Anthropic) where it is not a client's own JSON."""
    session_hint: str | None = None
    """A session id found in the body: JSON in `metadata.user_id`, then `prompt_cache_key`."""
    first_user_text: str = ""
    """The first user message's text, cut to 2,000 characters: session fallback and task rules."""
    system_text: str = ""
    """The system prompt's beginning, cut to 2,000 characters."""
    service_tier: str | None = None
    inference_geo: str | None = None
    """Where the client wants the model to run (Anthropic): `us`, `global`."""
    openrouter: dict[str, Any] = {}
    """OpenRouter's body extensions as sent: `provider`, `models`, `route`, `transforms`, `usage`."""

    @property
    def has_image(self) -> bool:
        return bool(self.images)
