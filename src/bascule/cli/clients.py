"""What points known clients here: environment variables, and arguments for the one that takes none from there."""

import json
import shlex
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

CLAUDE_MODEL_VARIABLES = (
    "ANTHROPIC_MODEL",
    "ANTHROPIC_DEFAULT_OPUS_MODEL",
    "ANTHROPIC_DEFAULT_SONNET_MODEL",
    "ANTHROPIC_DEFAULT_HAIKU_MODEL",
    "ANTHROPIC_DEFAULT_FABLE_MODEL",
    "ANTHROPIC_SMALL_FAST_MODEL",
)
"""Sub-agents of Claude Code ask for a Haiku model by its own name whatever ANTHROPIC_MODEL says, so all are set. The
last is what versions before the Haiku variable read."""

CLIENTS = ("claude", "codex", "opencode", "aider", "openai", "anthropic", "gemini")
NO_HEADERS: Mapping[str, str] = {}


def variables(
    client: str, *, base_url: str, key: str, model: str | None, headers: Mapping[str, str] = NO_HEADERS
) -> Mapping[str, str]:
    """What to set for a client. `base_url` is the gateway's origin without a path; `key` a Bascule key; `headers` go on
    every request of a client that lets us add some.

    Raises KeyError for a client that is not known.
    """
    openai = {"OPENAI_BASE_URL": f"{base_url}/v1", "OPENAI_API_KEY": key}
    if client == "claude":
        found = {"ANTHROPIC_BASE_URL": base_url, "ANTHROPIC_AUTH_TOKEN": key}
        if model is not None:
            found.update(dict.fromkeys(CLAUDE_MODEL_VARIABLES, model))
        if headers:
            found["ANTHROPIC_CUSTOM_HEADERS"] = "\n".join([f"{name}: {value}" for name, value in headers.items()])
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
        if headers:
            found["GEMINI_CLI_CUSTOM_HEADERS"] = _gemini_headers(headers)
        return found
    if client == "opencode":
        settings = _opencode(base_url, model, headers)
        return openai if settings is None else {**openai, "OPENCODE_CONFIG_CONTENT": settings}
    return {"codex": openai, "openai": openai}[client]


def _gemini_headers(headers: Mapping[str, str]) -> str:
    """Gemini CLI takes a comma for a header's end where a colon follows: a value with both cannot be said."""
    sayable = {name: value for name, value in headers.items() if "," not in value or ":" not in value}
    return ", ".join([f"{name}: {value}" for name, value in sayable.items()])


def _opencode(base_url: str, model: str | None, headers: Mapping[str, str]) -> str | None:
    """opencode's own settings as it takes them from a variable; they are laid over the user's. Tried with 1.18.33.

    A provider of ours must name its models, so there is none without one.
    """
    if model is None:
        return None
    options: dict[str, Any] = {"baseURL": f"{base_url}/v1", "apiKey": "{env:OPENAI_API_KEY}"}
    if headers:
        options["headers"] = dict(headers)
    provider = {"npm": "@ai-sdk/openai-compatible", "name": "Bascule", "options": options, "models": {model: {}}}
    return json.dumps({"provider": {"bascule": provider}, "model": f"bascule/{model}"})


def codex_options(*, base_url: str, model: str | None, headers: Mapping[str, str] = NO_HEADERS) -> tuple[str, ...]:
    """What Codex must be started with: it takes an address from its settings alone, and these are settings for one run.
    The key stays in OPENAI_API_KEY. Tried with 0.171.0, which tries WebSockets first wherever the provider is its own.
    """
    provider = {
        "name": "Bascule",
        "base_url": f"{base_url}/v1",
        "env_key": "OPENAI_API_KEY",
        "wire_api": "responses",
    }
    settings = [f"model_providers.bascule.{name}={_toml(value)}" for name, value in provider.items()]
    settings += [f"model_providers.bascule.http_headers={{{_pairs(headers)}}}"] if headers else []
    settings.append('model_provider="bascule"')
    settings += [f"model={_toml(model)}"] if model is not None else []
    return tuple([word for setting in settings for word in ("-c", setting)])


def _pairs(headers: Mapping[str, str]) -> str:
    return ",".join([f"{_toml(name)}={_toml(value)}" for name, value in headers.items()])


def _toml(text: str) -> str:
    """A basic string of TOML, whose escapes JSON's are."""
    return json.dumps(text)


def started(
    command: tuple[str, ...], *, base_url: str, model: str | None, headers: Mapping[str, str] = NO_HEADERS
) -> tuple[str, ...]:
    """The command with what it needs besides the variables."""
    if PurePath(command[0]).name != "codex":
        return command
    return (command[0], *codex_options(base_url=base_url, model=model, headers=headers), *command[1:])


def shell_function(client: str, *, base_url: str, model: str | None) -> str | None:
    """What a shell must know besides the variables, as a line of it."""
    if client != "codex":
        return None
    return f'codex() {{ command codex {shlex.join(codex_options(base_url=base_url, model=model))} "$@"; }}'


def caveat(client: str, model: str | None) -> str | None:
    """What more the user has to do for this client, or None."""
    if client == "opencode" and model is None:
        return "opencode needs --model NAME: it must be told which models a provider has"
    if client == "gemini":
        return (
            "Gemini CLI (0.61.0) refuses an address of its own unless ~/.gemini/settings.json says "
            '{"security": {"auth": {"selectedType": "gemini-api-key"}}}'
        )
    return None
