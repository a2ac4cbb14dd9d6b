"""Z.ai (Zhipu GLM), https://docs.z.ai."""

from bascule.providers.spec import OPEN_WEIGHT_BOUNDS, ProviderSpec, seat

SPEC = ProviderSpec(
    name="zai",
    title="Z.ai (Zhipu GLM)",
    dialect="openai_chat",
    base_url="https://api.z.ai/api/paas/v4",
    key_envs=("ZAI_API_KEY", "Z_AI_API_KEY"),
    quirks=frozenset({"no_developer_role", "reasoning_content"}),
    # docs.z.ai/api-reference/api-code and docs.bigmodel.cn/cn/api/api-code, read 2026-11-21
    error_classes={
        "1113": "quota_exhausted",
        "1210": "bad_request",
        "1211": "not_found",
        "1261": "context_length",
        "1301": "content_filter",
        "1302": "rate_limited",
        "1303": "rate_limited",
        "1304": "quota_exhausted",
        "1305": "rate_limited",
        "1308": "quota_exhausted",
        "1310": "quota_exhausted",
        "1312": "overloaded",
    },
    data=seat("Z.ai", "cn"),
    bounds=OPEN_WEIGHT_BOUNDS,
    price_provider="zai",
)
