"""Ollama on this machine, https://docs.ollama.com/api/openai-compatibility."""

from bascule.providers.spec import OPEN_WEIGHT_BOUNDS, OWN_SERVER, ProviderSpec

SPEC = ProviderSpec(
    name="ollama",
    title="Ollama",
    dialect="openai_chat",
    base_url="http://127.0.0.1:11434/v1",
    base_url_env="OLLAMA_HOST",
    auth="none",
    key_required=False,
    quirks=frozenset({"no_developer_role", "reasoning_content"}),
    data=OWN_SERVER,
    bounds=OPEN_WEIGHT_BOUNDS,
    disconnect="cancel",
    local=True,
    notes="Names that end in `-cloud` run at Ollama's own servers, not on this machine: give those a provider of "
    "their own with honest `data`. Prices are unknown until declared; `price: {input: 0, output: 0}` says "
    "that it is free.",
)
