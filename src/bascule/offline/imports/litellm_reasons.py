"""Why settings of LiteLLM are not taken over: there is no such thing here, or it has another place."""

ELSEWHERE = frozenset(
    {
        "litellm_settings.fallbacks", "router_settings.fallbacks", "litellm_settings.default_fallbacks",
        "router_settings.default_fallbacks", "router_settings.model_group_alias", "litellm_settings.model_alias_map",
        "litellm_settings.num_retries", "router_settings.num_retries", "litellm_settings.request_timeout",
        "router_settings.timeout", "litellm_settings.max_budget", "litellm_settings.budget_duration",
        "litellm_settings.max_internal_user_budget", "litellm_settings.internal_user_budget_duration",
        "litellm_settings.max_end_user_budget", "general_settings.master_key",
    }
)  # fmt: skip
"""What was dealt with, one way or the other."""

PARAMS_SILENT = frozenset({"custom_llm_provider", "drop_params", "max_retries"})
MODEL_INFO_SILENT = frozenset({"id", "db_model", "key", "litellm_provider", "created_at", "updated_at", "created_by",
                               "updated_by", "supported_openai_params", "description"})  # fmt: skip
"""What says nothing that could be lost."""

_LIMIT = "limits are a key's: keys.NAME.rate"
_LOG = "the ledger, /metrics and the journal take the place of callbacks"
_CACHE = "cache.exact is on by default; its settings are under `cache`"
_CHECK = "nothing checks contents here"
_DATABASE = "journals and SQLite in data_dir need no database; `database` is for several replicas"
_REASONS = {
    "litellm_params.rpm": _LIMIT,
    "litellm_params.tpm": _LIMIT,
    "litellm_params.max_parallel_requests": _LIMIT,
    "litellm_params.weight": "endpoints are tried in their order",
    "litellm_params.order": "endpoints are tried in their order",
    "litellm_params.max_budget": "budgets are of keys, teams, orgs, users and tags, not of endpoints",
    "litellm_params.budget_duration": "budgets are of keys, teams, orgs, users and tags, not of endpoints",
    "litellm_params.tags": "routes choose by `rules`",
    "litellm_params.organization": "the name of a variable; set headers: {openai-organization: …}",
    "litellm_params.aws_region_name": "belongs to Bedrock's signatures",
    "litellm_params.vertex_project": "belongs to Vertex AI",
    "litellm_params.vertex_location": "belongs to Vertex AI",
    "model_info.base_model": "a deployment's price is the price book's by its name; set `price` where that is another",
    "model_info.access_groups": "a key's `models` names what it may ask for",
    "litellm_settings.callbacks": _LOG,
    "litellm_settings.success_callback": _LOG,
    "litellm_settings.failure_callback": _LOG,
    "litellm_settings.service_callback": _LOG,
    "litellm_settings.cache": _CACHE,
    "litellm_settings.cache_params": _CACHE,
    "litellm_settings.drop_params": "what a provider of another dialect cannot take is dropped without asking",
    "litellm_settings.set_verbose": "logging is the process's",
    "litellm_settings.json_logs": "logging is the process's",
    "litellm_settings.context_window_fallbacks": "a model that is too small for a request is passed over in routes",
    "litellm_settings.content_policy_fallbacks": "a refusal of content is an answer, and is not sent elsewhere",
    "litellm_settings.guardrails": _CHECK,
    "router_settings.context_window_fallbacks": "a model that is too small for a request is passed over in routes",
    "router_settings.content_policy_fallbacks": "a refusal of content is an answer, and is not sent elsewhere",
    "router_settings.routing_strategy": "endpoints are tried in their order; routes choose by price, quality or speed",
    "router_settings.routing_strategy_args": "see routing_strategy",
    "router_settings.allowed_fails": "providers are left alone by what their errors say",
    "router_settings.cooldown_time": "providers are left alone by what their errors say",
    "router_settings.enable_pre_call_checks": "a request that does not fit is never sent",
    "router_settings.redis_host": "nothing is shared through Redis",
    "router_settings.redis_port": "nothing is shared through Redis",
    "router_settings.redis_password": "nothing is shared through Redis",
    "router_settings.redis_url": "nothing is shared through Redis",
    "router_settings.provider_budget_config": "budgets are of keys, teams, orgs, users and tags, not of providers",
    "general_settings.database_url": _DATABASE,
    "general_settings.database_connection_pool_limit": _DATABASE,
    "general_settings.store_model_in_db": "models stand in the file",
    "general_settings.alerting": "budgets have `alerts`; /metrics has the rest",
    "general_settings.alerting_threshold": "budgets have `alerts`; /metrics has the rest",
    "general_settings.max_parallel_requests": "server.limits.max_in_flight, and keys.NAME.rate.in_flight",
    "general_settings.global_max_parallel_requests": "server.limits.max_in_flight",
    "environment_variables": "may hold secrets: set them in the environment",
    "guardrails": _CHECK,
    "mcp_servers": "Bascule serves models, not tools",
    "include": "import each file for itself",
}
NO_SUCH = "Bascule has no such setting"


def reason_of(place: str) -> str:
    """Why a setting was not taken, by its place without numbers."""
    return _REASONS.get(place, NO_SUCH)
