"""vLLM's OpenAI-compatible server, https://docs.vllm.ai."""

from bascule.providers.spec import OPEN_WEIGHT_BOUNDS, OWN_SERVER, ProviderSpec

SPEC = ProviderSpec(
    name="vllm",
    title="vLLM",
    dialect="openai_chat",
    base_url="http://127.0.0.1:8000/v1",
    base_url_env="VLLM_BASE_URL",
    key_envs=("VLLM_API_KEY",),
    key_required=False,
    quirks=frozenset({"reasoning_content"}),
    data=OWN_SERVER,
    bounds=OPEN_WEIGHT_BOUNDS,
    disconnect="cancel",
    local=True,
    notes="Prices are unknown until declared; `price: {input: 0, output: 0}` says that it is free.",
)
