"""Xiaomi MiMo, https://api.xiaomimimo.com."""

from bascule.providers.spec import OPEN_WEIGHT_BOUNDS, ProviderSpec, seat

SPEC = ProviderSpec(
    name="mimo",
    title="Xiaomi MiMo",
    dialect="openai_chat",
    base_url="https://api.xiaomimimo.com/v1",
    key_envs=("XIAOMI_API_KEY", "MIMO_API_KEY"),
    quirks=frozenset({"no_developer_role", "reasoning_content"}),
    data=seat("Xiaomi", "cn"),
    bounds=OPEN_WEIGHT_BOUNDS,
    notes="Address from third parties' documentation, read 2026-11-21.",
)
