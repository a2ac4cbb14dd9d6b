"""LM Studio, https://lmstudio.ai/docs."""

from bascule.providers.spec import OPEN_WEIGHT_BOUNDS, OWN_SERVER, ProviderSpec

SPEC = ProviderSpec(
    name="lmstudio",
    title="LM Studio",
    dialect="openai_chat",
    base_url="http://127.0.0.1:1234/v1",
    base_url_env="LMSTUDIO_BASE_URL",
    auth="none",
    key_required=False,
    quirks=frozenset({"no_developer_role", "reasoning_content"}),
    data=OWN_SERVER,
    bounds=OPEN_WEIGHT_BOUNDS,
    disconnect="cancel",
    local=True,
    notes="Prices are unknown until declared; `price: {input: 0, output: 0}` says that it is free.",
)
