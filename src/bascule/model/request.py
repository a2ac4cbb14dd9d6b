"""A request in canonical form: what dialects translate from and to. See docs/decisions/0001-canonical-form.md.

Same-dialect traffic never takes this form. `carried` holds, by dialect name, fields that only that dialect can say
(`cache_control`, `thoughtSignature`, …); a codec writes back only what is carried under its own name.
"""

from typing import Any, Literal

from msgspec import Raw, Struct

Carried = dict[str, dict[str, Any]]
"""Dialect name to raw fields."""

JsonObject = dict[str, Any]


class Signature(Struct, frozen=True):
    """A provider's proof that it wrote a piece of reasoning. It goes back to its issuer only."""

    dialect: str
    value: str


class Text(Struct, frozen=True, kw_only=True, tag="text"):
    text: str
    carried: Carried = {}


class Image(Struct, frozen=True, kw_only=True, tag="image"):
    """Exactly one of `data` (base64, with its media type), `url` and `file_id`."""

    data: str | None = None
    media_type: str | None = None
    url: str | None = None
    file_id: str | None = None
    detail: str | None = None
    carried: Carried = {}


class Document(Struct, frozen=True, kw_only=True, tag="document"):
    """Exactly one of `data` (base64), `text`, `url` and `file_id`."""

    data: str | None = None
    media_type: str | None = None
    text: str | None = None
    url: str | None = None
    file_id: str | None = None
    name: str | None = None
    context: str | None = None
    carried: Carried = {}


class Audio(Struct, frozen=True, kw_only=True, tag="audio"):
    data: str
    format: str
    carried: Carried = {}


class ToolUse(Struct, frozen=True, kw_only=True, tag="tool_use"):
    """A call of a tool by the model. `arguments` is JSON text as the model wrote it, not always valid."""

    id: str
    name: str
    arguments: str
    kind: Literal["function", "custom"] = "function"
    signature: Signature | None = None
    """The provider's proof of this call, which it wants back (Gemini's thought signature)."""
    carried: Carried = {}


class ToolResult(Struct, frozen=True, kw_only=True, tag="tool_result"):
    """What a tool gave back; part of a user message."""

    tool_use_id: str
    content: tuple["Block", ...] = ()
    is_error: bool = False
    carried: Carried = {}


class Thinking(Struct, frozen=True, kw_only=True, tag="thinking"):
    text: str
    signature: Signature | None = None
    carried: Carried = {}


class RedactedThinking(Struct, frozen=True, kw_only=True, tag="redacted_thinking"):
    """Reasoning that only its issuer can read."""

    signature: Signature


class RefusalText(Struct, frozen=True, kw_only=True, tag="refusal"):
    """The model's own refusal, where a dialect sets it apart from text."""

    text: str


class Opaque(Struct, frozen=True, kw_only=True, tag="opaque"):
    """A block with no canonical word. `raw` is its JSON, for its own dialect only."""

    dialect: str
    raw: Raw


Block = Text | Image | Document | Audio | ToolUse | ToolResult | Thinking | RedactedThinking | RefusalText | Opaque


class Message(Struct, frozen=True, kw_only=True):
    """One turn. A `system` message here stands in the middle of the conversation, at its place."""

    role: Literal["user", "assistant", "system"]
    content: tuple[Block, ...]
    name: str | None = None
    carried: Carried = {}


class Tool(Struct, frozen=True, kw_only=True):
    """A tool the model may call. `hosted` is run by the provider; its kind is in `name`, its settings are carried."""

    name: str
    kind: Literal["function", "custom", "hosted"] = "function"
    description: str | None = None
    schema: JsonObject | None = None
    strict: bool | None = None
    carried: Carried = {}


class ToolChoice(Struct, frozen=True, kw_only=True):
    mode: Literal["auto", "none", "required", "tool"] = "auto"
    name: str | None = None
    """With mode `tool`."""
    parallel: bool | None = None
    """False: at most one call a turn. None: the provider's own default."""


class ResponseFormat(Struct, frozen=True, kw_only=True):
    kind: Literal["json_object", "json_schema"]
    schema: JsonObject | None = None
    name: str | None = None
    description: str | None = None
    strict: bool | None = None


Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class Reasoning(Struct, frozen=True, kw_only=True):
    """How much the model is to think before it answers. All None: as the provider thinks fit (adaptive)."""

    enabled: bool | None = None
    effort: Effort | None = None
    budget_tokens: int | None = None


class Request(Struct, frozen=True, kw_only=True):
    """One request for a model's answer."""

    model: str
    messages: tuple[Message, ...]
    instructions: tuple[Text, ...] = ()
    """The leading system prompt."""
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    max_tokens: int | None = None
    n: int = 1
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool = False
    top_logprobs: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    response_format: ResponseFormat | None = None
    reasoning: Reasoning | None = None
    stream: bool = False
    user: str | None = None
    metadata: dict[str, str] = {}
    service_tier: str | None = None
    cache_key: str | None = None
    carried: Carried = {}
