"""Mistral AI, https://docs.mistral.ai."""

from bascule.providers.spec import ProviderSpec, seat

SPEC = ProviderSpec(
    name="mistral",
    title="Mistral AI",
    dialect="openai_chat",
    base_url="https://api.mistral.ai/v1",
    key_envs=("MISTRAL_API_KEY",),
    stream_usage="always",
    # docs.mistral.ai/studio-api/conversations/advanced/prompt-caching, read 2026-11-30, for the last
    quirks=frozenset({"no_developer_role", "strip_unknown", "prompt_cache_key"}),
    data=seat("Mistral AI", "fr"),
    price_provider="mistral",
    notes="Refuses `stream_options` and other unknown fields with 422 (openai/openai-agents-python issue "
    "442); usage stands in the last chunk of every stream.",
)
