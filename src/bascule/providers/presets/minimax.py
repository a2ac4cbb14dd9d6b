"""MiniMax, https://platform.minimax.io."""

from bascule.providers.spec import OPEN_WEIGHT_BOUNDS, ProviderSpec, seat

SPEC = ProviderSpec(
    name="minimax",
    title="MiniMax",
    dialect="openai_chat",
    base_url="https://api.minimax.io/v1",
    key_envs=("MINIMAX_API_KEY",),
    quirks=frozenset({"no_developer_role", "reasoning_content"}),
    # platform.minimax.io/docs/api-reference/errorcode, read 2026-11-21
    error_classes={"1001": "timeout_first_byte", "1002": "rate_limited", "1004": "auth", "1008": "quota_exhausted"},
    data=seat("MiniMax", "cn"),
    bounds=OPEN_WEIGHT_BOUNDS,
    price_provider="minimax",
    notes="The mainland endpoint is https://api.minimaxi.com/v1.",
)
