"""DeepSeek, https://platform.deepseek.com."""

from bascule.providers.spec import ProviderSpec, seat

SPEC = ProviderSpec(
    name="deepseek",
    title="DeepSeek",
    dialect="openai_chat",
    base_url="https://api.deepseek.com",
    key_envs=("DEEPSEEK_API_KEY",),
    quirks=frozenset({"no_developer_role", "no_json_schema", "reasoning_content"}),
    # api-docs.deepseek.com/quick_start/error_codes, read 2026-11-21
    error_classes={"402": "quota_exhausted", "422": "bad_request", "503": "overloaded"},
    data=seat("DeepSeek", "cn"),
    price_provider="deepseek",
    notes="Off-peak prices apply by the clock. Cache hits and misses are reported as `prompt_cache_hit_tokens` and "
    "`prompt_cache_miss_tokens`.",
)
