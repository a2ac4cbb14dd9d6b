"""The environment variables that point known clients here."""

from collections.abc import Mapping

CLAUDE_MODEL_VARIABLES = (
    "ANTHROPIC_MODEL",
    "ANTHROPIC_DEFAULT_OPUS_MODEL",
    "ANTHROPIC_DEFAULT_SONNET_MODEL",
    "ANTHROPIC_DEFAULT_HAIKU_MODEL",
)
"""Sub-agents of Claude Code ask for a Haiku model by its own name whatever ANTHROPIC_MODEL says, so all are set."""

CLIENTS = ("claude", "codex", "opencode", "aider", "openai", "anthropic", "gemini")


def variables(client: str, *, base_url: str, key: str, model: str | None) -> Mapping[str, str]:
    """What to set for a client. `base_url` is the gateway's origin without a path; `key` a Bascule key.

    Raises KeyError for a client that is not known.
    """
    openai = {"OPENAI_BASE_URL": f"{base_url}/v1", "OPENAI_API_KEY": key}
    if client == "claude":
        found = {"ANTHROPIC_BASE_URL": base_url, "ANTHROPIC_AUTH_TOKEN": key}
        if model is not None:
            found.update(dict.fromkeys(CLAUDE_MODEL_VARIABLES, model))
        return found
    if client == "anthropic":
        return {"ANTHROPIC_BASE_URL": base_url, "ANTHROPIC_API_KEY": key}
    if client == "aider":
        found = {"OPENAI_API_BASE": f"{base_url}/v1", "OPENAI_API_KEY": key}
        if model is not None:
            found["AIDER_MODEL"] = f"openai/{model}"
        return found
    if client == "gemini":
        # The SDK takes GOOGLE_API_KEY before GEMINI_API_KEY, so one that is set for Google itself would go here.
        found = {"GOOGLE_GEMINI_BASE_URL": base_url, "GEMINI_API_KEY": key, "GOOGLE_API_KEY": key}
        if model is not None:
            found["GEMINI_MODEL"] = model
        return found
    return {"codex": openai, "opencode": openai, "openai": openai}[client]


def caveat(client: str) -> str | None:
    """What does not work yet with this client, or None."""
    if client == "codex":
        return (
            "Codex takes an address only from its settings: codex -c model_provider=bascule -c model_providers.bascule="
            '\'{name="Bascule",base_url="URL/v1",env_key="OPENAI_API_KEY",wire_api="responses"}\' with this URL'
        )
    return None
