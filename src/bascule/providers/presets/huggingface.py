"""Hugging Face Inference Providers, https://huggingface.co/docs/inference-providers."""

from bascule.model.catalog import DataFacts
from bascule.providers.spec import OPEN_WEIGHT_BOUNDS, ProviderSpec

SPEC = ProviderSpec(
    name="huggingface",
    title="Hugging Face Inference Providers",
    dialect="openai_chat",
    base_url="https://router.huggingface.co/v1",
    key_envs=("HF_TOKEN",),
    quirks=frozenset({"no_developer_role", "reasoning_content"}),
    data=DataFacts(
        operator="Hugging Face", source="retention and training are those of the provider that serves the model"
    ),
    bounds=OPEN_WEIGHT_BOUNDS,
    notes="It routes to third parties; `MODEL:PROVIDER` picks one. Prices depend on it, so they are "
    "unknown until declared.",
)
