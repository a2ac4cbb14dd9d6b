"""Google's Gemini API in its own dialect, https://ai.google.dev/api. Its OpenAI-compatible surface: `google`."""

from bascule.model.catalog import DataFacts
from bascule.providers.spec import GEMINI_PATHS, ProviderSpec

SPEC = ProviderSpec(
    name="gemini",
    title="Google Gemini",
    dialect="gemini",
    base_url="https://generativelanguage.googleapis.com/v1beta",
    auth="x-goog-api-key",
    key_envs=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    paths=GEMINI_PATHS,
    supersedes=("google",),
    # `usageMetadata` stands in the events of every stream.
    stream_usage="always",
    error_classes={"RESOURCE_EXHAUSTED": "rate_limited", "UNAVAILABLE": "overloaded"},
    data=DataFacts(
        retention="55d",
        jurisdiction="us",
        operator="Google",
        source="ai.google.dev/gemini-api/docs/abuse-monitoring and /zdr, read 2026-11-21; training depends on "
        "the plan (paid services: no), so it is unknown until declared",
    ),
    price_provider="google",
    notes="On a paid plan declare `data: {training: false}`. Without a file it is used instead of `google`, which has "
    "the same key.",
)
