"""Cerebras, https://inference-docs.cerebras.ai."""

from bascule.providers.spec import OPEN_WEIGHT_BOUNDS, ProviderSpec, seat

SPEC = ProviderSpec(
    name="cerebras",
    title="Cerebras",
    dialect="openai_chat",
    base_url="https://api.cerebras.ai/v1",
    key_envs=("CEREBRAS_API_KEY",),
    max_tokens_field="max_completion_tokens",
    data=seat("Cerebras", "us"),
    bounds=OPEN_WEIGHT_BOUNDS,
    price_provider="cerebras",
)
