"""SGLang, https://docs.sglang.ai."""

from bascule.providers.spec import OPEN_WEIGHT_BOUNDS, OWN_SERVER, ProviderSpec

SPEC = ProviderSpec(
    name="sglang",
    title="SGLang",
    dialect="openai_chat",
    base_url="http://127.0.0.1:30000/v1",
    base_url_env="SGLANG_BASE_URL",
    key_envs=("SGLANG_API_KEY",),
    key_required=False,
    quirks=frozenset({"reasoning_content"}),
    data=OWN_SERVER,
    bounds=OPEN_WEIGHT_BOUNDS,
    disconnect="cancel",
    local=True,
    notes="Prices are unknown until declared; `price: {input: 0, output: 0}` says that it is free.",
)
