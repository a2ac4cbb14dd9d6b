"""The dialects that the scripted upstream speaks, each a module of the same functions."""

from typing import Any

from bascule.testing import anthropic_wire, openai_wire, responses_wire
from bascule.testing.script import Dialect

WIRES: dict[Dialect, Any] = {
    "openai": openai_wire,
    "anthropic": anthropic_wire,
    "responses": responses_wire,
}
PATHS = ("/chat/completions", "/embeddings", "/messages", "/messages/count_tokens", "/responses")
"""How the paths end that are served."""


def dialect_of(path: str, headers: dict[str, str]) -> Dialect:
    """By the path, where it says so."""
    if path.endswith("/responses"):
        return "responses"
    return "anthropic" if "/messages" in path or "anthropic-version" in headers else "openai"
