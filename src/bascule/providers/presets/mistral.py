"""Mistral AI, https://docs.mistral.ai."""

from bascule.providers.spec import ProviderSpec, seat

SPEC = ProviderSpec(
    name="mistral",
    title="Mistral AI",
    dialect="openai_chat",
    base_url="https://api.mistral.ai/v1",
    key_envs=("MISTRAL_API_KEY",),
    stream_usage="always",
    quirks=frozenset({"no_developer_role", "strip_unknown"}),
    data=seat("Mistral AI", "fr"),
    price_provider="mistral",
    notes="Refuses `stream_options` and other unknown fields with 422 (openai/openai-agents-python issue "
    "442); usage stands in the last chunk of every stream.",
)
