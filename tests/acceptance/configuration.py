"""Configurations: two provider types at one scripted upstream, with prices that leave fractions."""

from typing import Any

PROVIDER_KEY = "sk-upstream-canary-7Qm2vX9tLr4"
PROVIDER_ENV = {"SCRIPTED_KEY": PROVIDER_KEY}

OPENAI_PRICE = {"input": 0.15, "output": 0.6, "cache_read": 0.075}
EMBEDDING_PRICE = {"input": 0.02, "output": 0}
ANTHROPIC_PRICE = {"input": 3, "output": 15, "cache_read": 0.3, "cache_write": 3.75, "cache_write_1h": 6}
GEMINI_PRICE = {"input": 0.3, "output": 2.5, "cache_read": 0.03}
PRICES: dict[str, dict[str, float]] = {
    "gem": GEMINI_PRICE,
    "oai": OPENAI_PRICE,
    "ant": ANTHROPIC_PRICE,
    "res": OPENAI_PRICE,
    "oai-cut": OPENAI_PRICE,
    "ant-cut": ANTHROPIC_PRICE,
    "embed": EMBEDDING_PRICE,
}
"""By the name that client, configuration and upstream all use, in USD per million tokens."""


def configuration(openai_url: str, anthropic_url: str, **more: Any) -> dict[str, Any]:
    """Models `oai`, `ant`, `gem` and `res`, one of each provider type. `more` adds sections."""
    models = {
        "oai": model("openai-type", "oai", OPENAI_PRICE),
        "ant": model("anthropic-type", "ant", ANTHROPIC_PRICE),
        "res": model("responses-type", "res", OPENAI_PRICE),
        "gem": model("gemini-type", "gem", GEMINI_PRICE),
        "gem-embed": model("gemini-type", "gem-embed", {"input": 0.15, "output": 0}),
        "embed": model("openai-type", "embed", EMBEDDING_PRICE),
    }
    return {
        "cache": {"exact": {"enabled": False}},
        "breaker": {"enabled": False},  # the one provider that all tests share is broken on purpose, by many at once
        "providers": providers(openai_url, anthropic_url),
        "models": models | more.pop("models", {}),
        **more,
    }


def providers(openai_url: str, anthropic_url: str) -> dict[str, Any]:
    google_url = f"{anthropic_url}/v1beta"
    return {
        "gemini-type": {"dialect": "gemini", "base_url": google_url, "api_key": "env:SCRIPTED_KEY"},
        "openai-type": {"dialect": "openai_chat", "base_url": openai_url, "api_key": "env:SCRIPTED_KEY"},
        "anthropic-type": {"dialect": "anthropic_messages", "base_url": anthropic_url, "api_key": "env:SCRIPTED_KEY"},
        "responses-type": {"dialect": "openai_responses", "base_url": openai_url, "api_key": "env:SCRIPTED_KEY"},
    }


def model(provider: str, upstream_model: str, price: dict[str, float], **more: Any) -> dict[str, Any]:
    return {
        "endpoints": [{"provider": provider, "model": upstream_model, "tokens_per_image": 2000}],
        "price": price,
        "context_window": 200_000,
        "max_output": 32_000,
        "input": ["text", "image"],
        "tools": True,
        "json_schema": True,
        "reasoning": True,
        **more,
    }
