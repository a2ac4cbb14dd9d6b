"""The model list as Google's clients read it (ai.google.dev/api/models)."""

from typing import Any

from bascule.server.listing import Entry

PREFIX = "models/"
METHODS = ("generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents")
"""Which of them a model really serves is its provider's to say: a route may lead to any."""


def google_models(entries: list[Entry]) -> dict[str, Any]:
    """All on one page, so that there is no token for a next one."""
    return {"models": [google_model(entry) for entry in entries]}


def google_model(entry: Entry) -> dict[str, Any]:
    """One entry of the list; limits only where they are known."""
    name = entry["id"]
    found: dict[str, Any] = {
        "name": PREFIX + name,
        "version": "001",
        "displayName": entry["display_name"],
        "supportedGenerationMethods": list(METHODS),
    }
    if (window := entry.get("context_window")) is not None:
        found["inputTokenLimit"] = window
    if (most := entry.get("max_tokens")) is not None:
        found["outputTokenLimit"] = most
    return found
