"""Azure OpenAI by deployment, https://learn.microsoft.com/azure/ai-services/openai/reference."""

from bascule.model.catalog import DataFacts
from bascule.providers.spec import OPENAI_BOUNDS, ProviderSpec

SPEC = ProviderSpec(
    name="azure",
    title="Azure OpenAI",
    dialect="openai_chat",
    base_url=None,
    base_url_env="AZURE_OPENAI_ENDPOINT",
    auth="api-key",
    key_envs=("AZURE_OPENAI_API_KEY",),
    by_deployment=True,
    paths={
        "chat": "/openai/deployments/{model}/chat/completions",
        "embeddings": "/openai/deployments/{model}/embeddings",
        "models": "/openai/models",
    },
    query="api-version=2024-10-21",
    max_tokens_field="max_completion_tokens",
    error_classes={
        "content_filter": "content_filter",
        "DeploymentNotFound": "not_found",
        "insufficient_quota": "quota_exhausted",
        "context_length_exceeded": "context_length",
    },
    data=DataFacts(operator="Microsoft", source="region and terms depend on the resource; declare them under `data`"),
    bounds=OPENAI_BOUNDS,
    price_provider="azure",
    notes="`base_url` is the resource's endpoint (https://NAME.openai.azure.com) and the upstream model is the "
    "deployment's name. For the newer /openai/v1 surface use `preset: openai` with that `base_url` and "
    "`auth: api-key`.",
)
