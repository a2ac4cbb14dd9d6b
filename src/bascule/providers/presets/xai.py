"""xAI, https://docs.x.ai."""

from bascule.providers.spec import ProviderSpec, seat

SPEC = ProviderSpec(
    name="xai",
    title="xAI",
    dialect="openai_chat",
    base_url="https://api.x.ai/v1",
    key_envs=("XAI_API_KEY",),
    quirks=frozenset({"reasoning_content"}),
    data=seat("xAI", "us"),
    price_provider="x-ai",
)
