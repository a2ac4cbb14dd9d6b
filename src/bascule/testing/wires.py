"""The dialects that the scripted upstream speaks, each a module of the same functions, and how to tell them apart."""

from collections.abc import Mapping
from typing import Any

from bascule.testing import (
    anthropic_wire,
    bedrock_wire,
    cohere_wire,
    gemini_prompt,
    gemini_wire,
    openai_wire,
    responses_wire,
)
from bascule.testing.script import Dialect

WIRES: dict[Dialect, Any] = {
    "openai": openai_wire,
    "anthropic": anthropic_wire,
    "responses": responses_wire,
    "gemini": gemini_wire,
    "cohere": cohere_wire,
    "bedrock": bedrock_wire,
}
_PATHS = (
    *("/chat/completions", "/embeddings", "/messages", "/messages/count_tokens", "/responses", "/v2/chat"),
    *bedrock_wire.PATHS,
)


def is_served(path: str) -> bool:
    """Whether requests are answered there."""
    return path.endswith(_PATHS) or gemini_prompt.of_path(path) is not None


def dialect_of(path: str, headers: Mapping[str, str]) -> Dialect:
    """By the path, where it says so."""
    if gemini_prompt.of_path(path) or path.startswith("/v1beta/"):
        return "gemini"
    if path.endswith("/responses"):
        return "responses"
    if path.endswith(bedrock_wire.PATHS):
        return "bedrock"
    if "/v2/" in path:
        return "cohere"
    return "anthropic" if "/messages" in path or "anthropic-version" in headers else "openai"


def understood(dialect: Dialect, body: dict[str, Any], path: str) -> dict[str, Any]:
    """A body as the planner of answers reads it."""
    read: dict[str, Any] = WIRES[dialect].understood(body, path) if dialect in ("cohere", "bedrock") else body
    return read


def own_complaint(dialect: Dialect, body: dict[str, Any]) -> str | None:
    """Why the API of this dialect alone answers 400; None where it does not."""
    found: str | None = WIRES[dialect].complaint(body) if dialect in ("cohere", "bedrock") else None
    return found
