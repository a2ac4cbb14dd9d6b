"""llama.cpp server, https://github.com/ggml-org/llama.cpp/tree/master/tools/server."""

from bascule.providers.spec import OPEN_WEIGHT_BOUNDS, OWN_SERVER, ProviderSpec

SPEC = ProviderSpec(
    name="llamacpp",
    title="llama.cpp server",
    dialect="openai_chat",
    base_url="http://127.0.0.1:8080/v1",
    base_url_env="LLAMACPP_BASE_URL",
    key_envs=("LLAMACPP_API_KEY",),
    key_required=False,
    quirks=frozenset({"no_developer_role", "reasoning_content"}),
    data=OWN_SERVER,
    bounds=OPEN_WEIGHT_BOUNDS,
    disconnect="cancel",
    local=True,
    notes="Prices are unknown until declared; `price: {input: 0, output: 0}` says that it is free.",
)
