"""Groq, https://console.groq.com/docs/openai."""

from bascule.providers.spec import OPEN_WEIGHT_BOUNDS, ProviderSpec, seat

SPEC = ProviderSpec(
    name="groq",
    title="Groq",
    dialect="openai_chat",
    base_url="https://api.groq.com/openai/v1",
    key_envs=("GROQ_API_KEY",),
    max_tokens_field="max_completion_tokens",
    data=seat("Groq", "us"),
    bounds=OPEN_WEIGHT_BOUNDS,
    price_provider="groq",
)
