"""Together AI, https://docs.together.ai."""

from bascule.providers.spec import OPEN_WEIGHT_BOUNDS, ProviderSpec, seat

SPEC = ProviderSpec(
    name="together",
    title="Together AI",
    dialect="openai_chat",
    base_url="https://api.together.xyz/v1",
    key_envs=("TOGETHER_API_KEY",),
    quirks=frozenset({"no_developer_role"}),
    # docs.together.ai/docs/error-codes, read 2026-11-21 (403: input and max_tokens exceed the context)
    error_classes={"402": "quota_exhausted", "403": "context_length", "503": "overloaded"},
    data=seat("Together AI", "us"),
    bounds=OPEN_WEIGHT_BOUNDS,
    price_provider="together",
)
