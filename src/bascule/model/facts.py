"""What one pass over a request body tells: enough to admit, route, bound and attribute it without translating it."""

from typing import Any, Literal

from msgspec import Struct


class ImageFact(Struct, frozen=True):
    """One image in a request. `base64_bytes` never count as text; a URL image has no bound."""

    kind: Literal["base64", "url", "file"]
    base64_bytes: int = 0


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
    has_audio: bool = False
    has_document: bool = False
    has_json_schema: bool = False
    has_reasoning: bool = False
    thinking_tokens: int | None = None
    """A thinking budget that the dialect counts beside `max_tokens`; where it counts inside, None."""
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
    openrouter: dict[str, Any] = {}
    """OpenRouter's body extensions as sent: `provider`, `models`, `route`, `transforms`, `usage`."""

    @property
    def has_image(self) -> bool:
        return bool(self.images)
