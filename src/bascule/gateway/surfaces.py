"""What clients may call, and which dialect a provider is spoken to in for it. One table; no dialect is named elsewhere
in the gateway."""

from typing import Literal

from msgspec import Struct

from bascule.dialects.registry import beside, least_output_tokens
from bascule.model.catalog import Endpoint
from bascule.providers.spec import Surface as ProviderSurface

Surface = Literal[
    "openai_chat",
    "openai_responses",
    "openai_embeddings",
    "anthropic_messages",
    "anthropic_count_tokens",
    "gemini",
    "gemini_count_tokens",
    "gemini_embeddings",
]
Work = Literal["chat", "embeddings", "count_tokens"]
"""A model writes an answer; or vectors come back; or nothing is generated and nothing billed."""


class SurfaceFacts(Struct, frozen=True, kw_only=True):
    work: Work
    chat_dialect: str
    """In which its errors are told."""
    dialect: str
    """Of its requests and answers."""
    sse_query: str | None = None
    """The query parameter without which a stream is written as one JSON array (Google's `alt=sse`)."""
    refers: bool = False
    """Its requests may refer to earlier answers."""


def _chat(dialect: str) -> SurfaceFacts:
    return SurfaceFacts(work="chat", chat_dialect=dialect, dialect=dialect)


SURFACES: dict[Surface, SurfaceFacts] = {
    "openai_chat": _chat("openai_chat"),
    "openai_responses": SurfaceFacts(
        work="chat", chat_dialect="openai_responses", dialect="openai_responses", refers=True
    ),
    "openai_embeddings": SurfaceFacts(work="embeddings", chat_dialect="openai_chat", dialect="openai_embeddings"),
    "anthropic_messages": _chat("anthropic_messages"),
    "anthropic_count_tokens": SurfaceFacts(
        work="count_tokens", chat_dialect="anthropic_messages", dialect="anthropic_count_tokens"
    ),
    "gemini": SurfaceFacts(work="chat", chat_dialect="gemini", dialect="gemini", sse_query="alt=sse"),
    "gemini_count_tokens": SurfaceFacts(work="count_tokens", chat_dialect="gemini", dialect="gemini_count_tokens"),
    "gemini_embeddings": SurfaceFacts(work="embeddings", chat_dialect="gemini", dialect="gemini_embeddings"),
}


def is_array(surface: Surface, query: str) -> bool:
    """Whether a stream is written as one JSON array instead of server-sent events."""
    wanted = SURFACES[surface].sse_query
    return wanted is not None and wanted not in query.split("&")


def provider_dialect(surface: Surface, endpoint: Endpoint) -> str | None:
    """The dialect in which this endpoint is asked; None where it cannot do this work.

    A client's own dialect wherever the endpoint speaks it: what needs no translation loses nothing.
    """
    facts = SURFACES[surface]
    if facts.work == "chat":
        return facts.dialect if facts.dialect in endpoint.also else endpoint.dialect
    return beside(facts.work, endpoint.dialect)


def least_output(surface: Surface, endpoint: Endpoint) -> int:
    """The smallest output cap in tokens, per choice, with which this endpoint can be asked."""
    dialect = provider_dialect(surface, endpoint)
    return 1 if dialect is None else least_output_tokens(dialect)


def provider_surface(surface: Surface, endpoint: Endpoint) -> ProviderSurface:
    """Under which of the provider's paths it is asked."""
    facts = SURFACES[surface]
    if facts.work != "chat":
        return facts.work
    return "responses" if facts.dialect == "openai_responses" and facts.dialect in endpoint.also else "chat"
