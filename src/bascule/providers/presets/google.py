"""Google's Gemini API through its OpenAI-compatible surface, https://ai.google.dev/gemini-api/docs/openai."""

from bascule.model.catalog import DataFacts
from bascule.providers.spec import ProviderSpec

SPEC = ProviderSpec(
    name="google",
    title="Google Gemini (OpenAI-compatible)",
    dialect="openai_chat",
    base_url="https://generativelanguage.googleapis.com/v1beta/openai",
    key_envs=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    quirks=frozenset({"no_developer_role"}),
    error_classes={"RESOURCE_EXHAUSTED": "rate_limited", "UNAVAILABLE": "overloaded"},
    data=DataFacts(
        retention="55d",
        jurisdiction="us",
        operator="Google",
        source="ai.google.dev/gemini-api/docs/abuse-monitoring and /zdr, read 2026-11-21; training depends on "
        "the plan (paid services: no), so it is unknown until declared",
    ),
    price_provider="google",
    notes="On a paid plan declare `data: {training: false}`.",
)
