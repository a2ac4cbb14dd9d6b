"""OpenRouter, https://openrouter.ai."""

from bascule.model.catalog import DataFacts
from bascule.providers.spec import ANY_VENDOR_BOUNDS, ProviderSpec

SPEC = ProviderSpec(
    name="openrouter",
    title="OpenRouter",
    dialect="openai_chat",
    base_url="https://openrouter.ai/api/v1",
    key_envs=("OPENROUTER_API_KEY",),
    stream_usage="always",
    quirks=frozenset({"openrouter", "reasoning_content", "cache_control"}),
    # openrouter.ai/docs/api/reference/errors-and-debugging, read 2026-11-21; `error.code` is the status as a number.
    error_classes={
        "402": "quota_exhausted",
        "403": "content_filter",
        "408": "timeout_first_byte",
        "502": "server_error",
        "503": "overloaded",
    },
    data=DataFacts(
        jurisdiction="us",
        operator="OpenRouter",
        source="the operator's seat; retention and training are those of the provider that it picks",
    ),
    bounds=ANY_VENDOR_BOUNDS,
    price_provider="openrouter",
    notes="It picks among its own upstreams; its own `usage.cost` is kept for reconciliation. Errors may come "
    "inside a 200.",
)
