"""Which fields of a request leave its cost within the bounds: all others are refused on a strict budget, by name.

A field that is not here may search, read what was stored elsewhere or run a dearer model, for all that the gateway
can know; a vendor invents a new one every month. So the lists name what is known to be harmless, of all presets, and
what `read_facts` bounds or judges by itself. Without a strict budget an unlisted field goes on as it came.
"""

from typing import Any

_SAMPLING = frozenset(
    {"temperature", "top_p", "top_k", "min_p", "top_a", "typical_p", "seed", "random_seed", "stop", "stop_token_ids"}
    | {"frequency_penalty", "presence_penalty", "repetition_penalty", "length_penalty", "logit_bias", "logprobs"}
    | {"top_logprobs", "do_sample", "ignore_eos", "include_stop_str_in_output", "skip_special_tokens", "min_tokens"}
    | {"spaces_between_special_tokens", "prompt_logprobs", "mirostat_mode", "mirostat_eta", "mirostat_tau"}
    | {"safe_prompt", "prompt_mode", "verbosity", "repeat_penalty", "cache_prompt"}
)
_ATTRIBUTION = frozenset(
    {"user", "metadata", "store", "safety_identifier", "prompt_cache_key", "prompt_cache_retention"}
    | {"request_id", "user_id", "session_id", "trace", "incremental_output", "stream_options", "service_tier"}
)
"""Who asks, what is kept, how a stream is cut: nothing that is billed by itself."""
_REASONING = frozenset(
    {"reasoning", "reasoning_effort", "reasoning_split", "reasoning_format", "include_reasoning", "thinking"}
    | {"enable_thinking", "thinking_budget", "preserve_thinking", "chat_template_kwargs", "separate_reasoning"}
)
"""Thinking is output within the cap, or counted beside it (`enable_thinking`, `thinking_budget`)."""
_SHAPE = frozenset(
    {"response_format", "guided_json", "guided_regex", "guided_choice", "guided_grammar", "guided_decoding_backend"}
    | {"guided_whitespace_pattern", "structured_outputs", "grammar", "json_schema", "regex", "ebnf", "result_format"}
    | {"continue_final_message", "add_generation_prompt"}
)
_TOOLS = frozenset({"tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "tool_stream"})
_PLACEMENT = frozenset(
    {"keep_alive", "priority", "provider", "transforms", "usage", "models", "route", "safety_settings"}
)
"""Where and when it runs. OpenRouter's `provider` chooses among hosts of one model."""

CHAT_FIELDS = (
    frozenset({"model", "messages", "stream", "max_tokens", "max_completion_tokens", "n", "modalities", "prediction"})
    | frozenset({"cache_control", "options", "extra_body", "web_search_options"})
    | (_SAMPLING | _ATTRIBUTION | _REASONING | _SHAPE | _TOOLS | _PLACEMENT)
)
"""Of Chat Completions; `modalities` to `web_search_options` are judged by what they hold."""
MESSAGE_FIELDS = frozenset(
    {"role", "content", "name", "refusal", "tool_calls", "tool_call_id", "function_call", "annotations"}
    | {"reasoning", "reasoning_content", "reasoning_details", "thinking", "cache_control", "extra_content"}
    | {"prefix", "partial", "is_error", "id", "type", "status", "phase", "tool_name", "provider_specific_fields"}
)
"""Of one message of Chat Completions."""
MESSAGES_API_FIELDS = frozenset(
    {"model", "messages", "system", "max_tokens", "stream", "tools", "tool_choice", "thinking", "temperature"}
    | {"top_p", "top_k", "stop_sequences", "metadata", "service_tier", "speed", "inference_geo", "output_config"}
    | {"output_format", "context_management", "mcp_servers", "container", "betas", "anthropic_beta"}
    | {"anthropic_version", "cache_control", "provider", "transforms", "usage", "models", "route", "user_profile_id"}
)
"""Of Anthropic's Messages; `context_management`, `mcp_servers` and `container` are judged by what they hold."""
RESPONSES_FIELDS = frozenset(
    {"model", "input", "instructions", "stream", "stream_options", "max_output_tokens", "max_tool_calls", "tools"}
    | {"tool_choice", "parallel_tool_calls", "reasoning", "text", "temperature", "top_p", "top_logprobs", "metadata"}
    | {"client_metadata", "store", "include", "truncation", "user", "safety_identifier", "prompt_cache_key"}
    | {"prompt_cache_retention", "prompt_cache_options", "service_tier", "previous_response_id", "conversation"}
    | {"background", "prompt", "context_management", "provider", "transforms", "usage", "models", "route"}
)
"""Of OpenAI's Responses; `previous_response_id` to `context_management` are judged by what they hold, `reasoning` and
`prompt_cache_options` by `unlisted_responses`."""
_RESPONSES_REASONING = frozenset({"effort", "summary", "generate_summary", "context", "mode"}) | frozenset(
    {"enabled", "exclude", "max_tokens"}
)
"""The last three are OpenRouter's. `context` chooses among reasoning that stands in the body."""
_CACHE_OPTIONS = frozenset({"mode", "ttl", "prewarm", "comparison_response_id"})
_CACHE_TTL = "30m"
"""OpenAI's default. What a write for longer costs is not in the book, so that no hold covers it."""
EMBEDDINGS_FIELDS = frozenset(
    {"model", "input", "user", "dimensions", "encoding_format", "input_type", "task", "task_type", "truncate"}
    | {"output_dtype", "output_dimension", "provider", "metadata"}
)
_OFF = frozenset({"enable_search", "search_parameters", "web_search", "enable_code_interpreter", "return_images"})
"""Switches of what costs more: `false` asks for nothing."""
_OPTIONS_THAT_COST = frozenset({"num_predict", "num_ctx"})


def unlisted(body: dict[str, Any], listed: frozenset[str]) -> list[str]:
    """The names of fields whose cost has no known bound, at most 40 characters each. A null says nothing."""
    return [
        name[:40]
        for name in sorted(body.keys() - listed)
        if body[name] is not None and not (body[name] is False and name in _OFF)
    ]


def unlisted_inside(body: dict[str, Any]) -> list[str]:
    """The same of what lies in `options` (Ollama), `reasoning` (OpenRouter, where `mode: pro` is another model) and
    `extra_body.google` (Gemini's OpenAI-compatible API)."""
    found: list[str] = []
    options = body.get("options")
    if options is not None and (type(options) is not dict or not _OPTIONS_THAT_COST.isdisjoint(options)):
        found.append("options")
    if _other(body.get("reasoning"), "mode", "standard"):
        found.append("reasoning.mode")
    extra = body.get("extra_body")
    if extra is None:
        return found
    if type(extra) is not dict or extra.keys() - {"google"} or type(extra.get("google")) is not dict:
        return [*found, "extra_body"]
    inner = unlisted(extra["google"], _GOOGLE)
    return found + [f"extra_body.google.{name}" for name in inner]


def unlisted_responses(body: dict[str, Any]) -> list[str]:
    """The same of what lies in `reasoning` and `prompt_cache_options` of a Responses request. `mode: pro` reasons in
    several passes, of which nobody says how they share the cap."""
    found: list[str] = []
    for holder, listed in (("reasoning", _RESPONSES_REASONING), ("prompt_cache_options", _CACHE_OPTIONS)):
        given = body.get(holder)
        if type(given) is dict:
            found += [f"{holder}.{name}"[:40] for name in unlisted(given, listed)]
        elif given is not None:
            found.append(holder)
    if _other(body.get("reasoning"), "mode", "standard"):
        found.append("reasoning.mode")
    if lasts_longer(body.get("prompt_cache_options")):
        found.append("prompt_cache_options.ttl")
    return found


def lasts_longer(cached: Any) -> bool:
    """A cache write with another `ttl` than the one whose price is known: of all, or at one breakpoint."""
    return _other(cached, "ttl", _CACHE_TTL)


def _other(holder: Any, name: str, known: str) -> bool:
    """It holds another value there than the one that is known to be bounded."""
    return type(holder) is dict and holder.get(name) not in (None, known)


_GOOGLE = frozenset({"thinking_config", "safety_settings", "thought_tag_marker"})

GEMINI_FIELDS = frozenset(
    {"model", "stream", "contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "safetySettings"}
    | {"labels", "store", "serviceTier"}
)
"""Of `generateContent`, with what the path says. `cachedContent` is input that the body does not show."""
GEMINI_GENERATION_FIELDS = frozenset(
    {"maxOutputTokens", "candidateCount", "stopSequences", "temperature", "topP", "topK", "seed", "presencePenalty"}
    | {"frequencyPenalty", "responseMimeType", "responseSchema", "responseJsonSchema", "_responseJsonSchema"}
    | {"thinkingConfig", "responseLogprobs", "logprobs", "responseModalities", "mediaResolution"}
)
"""Of `generationConfig`. Thinking is within `maxOutputTokens`; `responseModalities` are judged by what they hold."""
GEMINI_PART_FIELDS = frozenset(
    {"text", "thought", "thoughtSignature", "inlineData", "fileData", "functionCall", "functionResponse"}
    | {"executableCode", "codeExecutionResult", "mediaResolution", "partMetadata"}
)
GEMINI_EMBEDDING_FIELDS = frozenset(
    {"model", "stream", "content", "taskType", "title", "outputDimensionality", "autoTruncate", "embedContentConfig"}
)
"""Of one request of `embedContent` and `batchEmbedContents`."""
