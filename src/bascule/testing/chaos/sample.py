"""The configuration that is attacked where the user has none: one model of each dialect, drained and cut off."""

from typing import Any

_KINDS: dict[str, tuple[str, dict[str, float]]] = {
    "chat": ("openai_chat", {"input": 0.15, "output": 0.6, "cache_read": 0.075}),
    "claude": ("anthropic_messages", {"input": 3, "output": 15, "cache_read": 0.3, "cache_write": 3.75}),
    "responses": ("openai_responses", {"input": 0.15, "output": 0.6, "cache_read": 0.075}),
    "gemini": ("gemini", {"input": 0.3, "output": 2.5, "cache_read": 0.03}),
}


def _model(provider: str, price: dict[str, float]) -> dict[str, Any]:
    return {
        "endpoints": [{"provider": provider, "model": provider}],
        "price": price,
        "context_window": 200_000,
        "max_output": 32_000,
    }


SAMPLE: dict[str, Any] = {
    "providers": {
        **{name: {"dialect": dialect} for name, (dialect, _) in _KINDS.items()},
        **{f"{name}-cut": {"dialect": dialect, "disconnect": "cancel"} for name, (dialect, _) in _KINDS.items()},
    },
    "models": {
        **{name: _model(name, price) for name, (_, price) in _KINDS.items()},
        **{f"{name}-cut": _model(f"{name}-cut", price) for name, (_, price) in _KINDS.items()},
    },
    "routes": {"either": {"candidates": ["chat", "claude"], "objective": "cheapest"}},
    "breaker": {"enabled": False},
    "outlier": {"enabled": False},
}
"""Without breakers, so that every fault is met: they would keep most of a storm from the upstream."""
