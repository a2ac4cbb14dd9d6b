"""DeepInfra, https://deepinfra.com/docs."""

from bascule.providers.spec import OPEN_WEIGHT_BOUNDS, ProviderSpec, seat

SPEC = ProviderSpec(
    name="deepinfra",
    title="DeepInfra",
    dialect="openai_chat",
    base_url="https://api.deepinfra.com/v1/openai",
    key_envs=("DEEPINFRA_API_KEY", "DEEPINFRA_TOKEN"),
    quirks=frozenset({"no_developer_role", "reasoning_content"}),
    data=seat("DeepInfra", "us"),
    bounds=OPEN_WEIGHT_BOUNDS,
)
