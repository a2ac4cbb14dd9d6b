"""Alibaba Cloud Model Studio (DashScope), https://help.aliyun.com/en/model-studio."""

from msgspec.structs import replace

from bascule.model.catalog import DataFacts
from bascule.providers.spec import OPEN_WEIGHT_BOUNDS, ProviderSpec

SPEC = ProviderSpec(
    name="dashscope",
    title="Alibaba Cloud Model Studio (DashScope)",
    dialect="openai_chat",
    base_url="https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
    key_envs=("DASHSCOPE_API_KEY",),
    quirks=frozenset({"no_developer_role", "reasoning_content"}),
    # help.aliyun.com/en/model-studio/error-code-start, read 2026-11-21
    error_classes={
        "Arrearage": "quota_exhausted",
        "insufficient_quota": "quota_exhausted",
        "Throttling": "rate_limited",
        "Throttling.RateQuota": "rate_limited",
        "Throttling.AllocationQuota": "rate_limited",
        "data_inspection_failed": "content_filter",
    },
    data=DataFacts(operator="Alibaba Cloud", source="the region depends on the base URL; declare it under `data`"),
    # "max_tokens" does not limit the chain of thought (API reference of Chat Completions there), and newer models think
    # unless told not to. `max_completion_tokens` limits both, but only newer models know it.
    bounds=replace(OPEN_WEIGHT_BOUNDS, thinks_beside_cap=True),
    notes="The international endpoint; the mainland one is https://dashscope.aliyuncs.com/compatible-mode/v1. "
    "`max_tokens` does not limit thinking here: a strict budget holds the model's `context_window` beside it, unless a "
    "request says `thinking_budget` or `enable_thinking: false`, or the model has `reasoning: false`.",
)
