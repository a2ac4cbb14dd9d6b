"""Anthropic, https://platform.claude.com."""

from bascule.model.catalog import DataFacts
from bascule.providers.spec import ANTHROPIC_BOUNDS, ANTHROPIC_PATHS, ProviderSpec

SPEC = ProviderSpec(
    name="anthropic",
    title="Anthropic",
    dialect="anthropic_messages",
    base_url="https://api.anthropic.com",
    auth="x-api-key",
    key_envs=("ANTHROPIC_API_KEY",),
    paths=ANTHROPIC_PATHS,
    forward_query=frozenset({"beta"}),
    default_headers=((b"anthropic-version", b"2023-06-01"),),
    # Usage stands in message_start and message_delta of every stream.
    stream_usage="always",
    error_classes={
        "billing_error": "quota_exhausted",
        "request_too_large": "too_large",
        "overloaded_error": "overloaded",
        "529": "overloaded",
    },
    data=DataFacts(
        training=False,
        jurisdiction="us",
        operator="Anthropic",
        source="training: code.claude.com/docs/en/data-usage (commercial terms), read 2026-11-21; "
        "the retention period was not read",
    ),
    bounds=ANTHROPIC_BOUNDS,
    price_provider="anthropic",
    notes="Zero data retention is granted on approval only: declare it under `data` if you have it.",
)
