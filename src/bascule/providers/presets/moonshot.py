"""Moonshot AI (Kimi), https://platform.kimi.ai."""

from bascule.providers.spec import OPEN_WEIGHT_BOUNDS, ProviderSpec, seat

SPEC = ProviderSpec(
    name="moonshot",
    title="Moonshot AI (Kimi)",
    dialect="openai_chat",
    base_url="https://api.moonshot.ai/v1",
    key_envs=("MOONSHOT_API_KEY",),
    quirks=frozenset({"no_developer_role", "reasoning_content"}),
    # forum.moonshot.ai/t/429-insufficient-balance/244 and /t/the-engine-is-currently-overloaded/569, read 2026-11-21
    error_classes={
        "exceeded_current_quota_error": "quota_exhausted",
        "engine_overloaded_error": "overloaded",
        "rate_limit_reached_error": "rate_limited",
    },
    data=seat("Moonshot AI", "cn"),
    bounds=OPEN_WEIGHT_BOUNDS,
    price_provider="moonshotai",
    notes="The mainland endpoint is https://api.moonshot.cn/v1, with keys of its own.",
)
