"""SambaNova, https://docs.sambanova.ai."""

from bascule.providers.spec import OPEN_WEIGHT_BOUNDS, ProviderSpec, seat

SPEC = ProviderSpec(
    name="sambanova",
    title="SambaNova",
    dialect="openai_chat",
    base_url="https://api.sambanova.ai/v1",
    key_envs=("SAMBANOVA_API_KEY",),
    quirks=frozenset({"no_developer_role"}),
    data=seat("SambaNova", "us"),
    bounds=OPEN_WEIGHT_BOUNDS,
)
