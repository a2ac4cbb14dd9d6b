"""OpenAI, https://platform.openai.com."""

from bascule.model.catalog import DataFacts
from bascule.providers.spec import OPENAI_BOUNDS, OPENAI_PATHS, ProviderSpec

SPEC = ProviderSpec(
    name="openai",
    title="OpenAI",
    dialect="openai_chat",
    base_url="https://api.openai.com/v1",
    key_envs=("OPENAI_API_KEY",),
    paths={**OPENAI_PATHS, "responses": "/responses"},
    also=("openai_responses",),  # developers.openai.com/api/reference/responses
    # Reasoning models refuse `max_tokens`; all current chat models take this one.
    max_tokens_field="max_completion_tokens",
    # developers.openai.com/api/docs/guides/prompt-caching, read 2026-11-30
    quirks=frozenset({"prompt_cache_key"}),
    error_classes={
        "insufficient_quota": "quota_exhausted",
        "billing_hard_limit_reached": "quota_exhausted",
        "context_length_exceeded": "context_length",
        "content_policy_violation": "content_filter",
    },
    data=DataFacts(
        retention="30d",
        training=False,
        jurisdiction="us",
        operator="OpenAI",
        source="developers.openai.com/api/docs/guides/your-data, read 2026-11-21",
    ),
    bounds=OPENAI_BOUNDS,
    price_provider="openai",
    notes="Zero data retention is granted on approval only: declare `data: {retention: none, zdr: true}` if you have "
    "it. EU residency uses another base URL.",
)
