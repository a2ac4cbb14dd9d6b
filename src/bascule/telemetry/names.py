"""Every name of a span, attribute and metric that leaves, in one table.

`gen_ai.*` are OpenTelemetry's semantic conventions for generative AI (still in development there; a test compares them
with the installed `opentelemetry-semantic-conventions`). What these have no word for is `bascule.*`.
"""

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
REQUEST_MAX_TOKENS = "gen_ai.request.max_tokens"
REQUEST_TEMPERATURE = "gen_ai.request.temperature"
REQUEST_STREAM = "gen_ai.request.stream"
RESPONSE_MODEL = "gen_ai.response.model"
RESPONSE_ID = "gen_ai.response.id"
FINISH_REASONS = "gen_ai.response.finish_reasons"
FIRST_CHUNK_S = "gen_ai.response.time_to_first_chunk"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
"""All of the input, cached or not, as the convention has it."""
CACHE_READ_TOKENS = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_TOKENS = "gen_ai.usage.cache_creation.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
REASONING_TOKENS = "gen_ai.usage.reasoning.output_tokens"
CONVERSATION = "gen_ai.conversation.id"
TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105  the name of an attribute
ERROR_TYPE = "error.type"
STATUS_CODE = "http.response.status_code"

REQUEST_ID = "bascule.request_id"
ATTEMPT_ID = "bascule.attempt_id"
ATTEMPT_NO = "bascule.attempt_no"
ROLE = "bascule.role"
PROVIDER_NAME = "bascule.provider"
"""By its name in the configuration."""
MODEL = "bascule.model"
MODEL_REQUESTED = "bascule.model_requested"
ROUTE = "bascule.route"
SURFACE = "bascule.surface"
KEY = "bascule.key"
TEAM = "bascule.team"
PROJECT = "bascule.project"
COST_USD = "bascule.cost_usd"
"""A decimal in a string, exact; absent where it is not known."""
USAGE_SOURCE = "bascule.usage_source"

OPERATION_DURATION = "gen_ai.client.operation.duration"
TOKEN_USAGE = "gen_ai.client.token.usage"  # noqa: S105  the name of a metric
TIME_TO_FIRST_CHUNK = "gen_ai.client.operation.time_to_first_chunk"
REQUEST_DURATION = "gen_ai.server.request.duration"
COST = "bascule.cost"

DURATION_BOUNDS_S = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKEN_BOUNDS = tuple(4**power for power in range(14))
"""Boundaries of histograms, as the conventions advise them."""

PROVIDERS = {
    "anthropic": "anthropic",
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "gemini": "gcp.gemini",
    "google": "gcp.gemini",
    "groq": "groq",
    "mistral": "mistral_ai",
    "openai": "openai",
    "perplexity": "perplexity",
    "xai": "x_ai",
}
"""The conventions' names for providers, by the name of their preset; others go by their own."""
