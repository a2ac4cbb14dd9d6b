"""Fireworks AI, https://docs.fireworks.ai."""

from bascule.providers.spec import OPEN_WEIGHT_BOUNDS, ProviderSpec, seat

SPEC = ProviderSpec(
    name="fireworks",
    title="Fireworks AI",
    dialect="openai_chat",
    base_url="https://api.fireworks.ai/inference/v1",
    key_envs=("FIREWORKS_API_KEY",),
    quirks=frozenset({"no_developer_role", "reasoning_content"}),
    data=seat("Fireworks AI", "us"),
    bounds=OPEN_WEIGHT_BOUNDS,
    price_provider="fireworks",
    notes="Models are named `accounts/fireworks/models/NAME`.",
)
