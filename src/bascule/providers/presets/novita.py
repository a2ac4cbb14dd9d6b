"""Novita AI, https://novita.ai/docs."""

from bascule.model.catalog import DataFacts
from bascule.providers.spec import OPEN_WEIGHT_BOUNDS, ProviderSpec

SPEC = ProviderSpec(
    name="novita",
    title="Novita AI",
    dialect="openai_chat",
    base_url="https://api.novita.ai/openai/v1",
    key_envs=("NOVITA_API_KEY",),
    quirks=frozenset({"no_developer_role", "reasoning_content"}),
    data=DataFacts(operator="Novita AI", source="nothing was read about seat, retention or training"),
    bounds=OPEN_WEIGHT_BOUNDS,
    price_provider="novita",
)
