"""NVIDIA NIM, https://docs.api.nvidia.com."""

from bascule.providers.spec import OPEN_WEIGHT_BOUNDS, ProviderSpec, seat

SPEC = ProviderSpec(
    name="nvidia",
    title="NVIDIA NIM",
    dialect="openai_chat",
    base_url="https://integrate.api.nvidia.com/v1",
    key_envs=("NVIDIA_API_KEY",),
    quirks=frozenset({"no_developer_role", "reasoning_content"}),
    data=seat("NVIDIA", "us"),
    bounds=OPEN_WEIGHT_BOUNDS,
)
