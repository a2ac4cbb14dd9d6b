"""LiteLLM's names of providers, and what they are called here."""

from typing import Any

COMPATIBLE = "openai_like"
"""Any server that speaks OpenAI's chat completions, by its address."""

PRESETS = {
    "openai": "openai", "text-completion-openai": "openai", "azure": "azure", "azure_text": "azure",
    "anthropic": "anthropic", "gemini": "google", "openrouter": "openrouter", "groq": "groq", "mistral": "mistral",
    "codestral": "mistral", "deepseek": "deepseek", "together_ai": "together", "fireworks_ai": "fireworks",
    "perplexity": "perplexity", "xai": "xai", "ollama": "ollama", "ollama_chat": "ollama", "vllm": "vllm",
    "hosted_vllm": "vllm", "cerebras": "cerebras", "sambanova": "sambanova", "deepinfra": "deepinfra",
    "nvidia_nim": "nvidia", "huggingface": "huggingface", "moonshot": "moonshot", "dashscope": "dashscope",
    "minimax": "minimax", "novita": "novita", "zai": "zai", "github": "github_models", "lm_studio": "lmstudio",
    "llamafile": "llamacpp", "cloudflare": "cloudflare", "xiaomi_mimo": "mimo",
    "cohere": "cohere", "cohere_chat": "cohere",
    "custom_openai": COMPATIBLE, "openai_like": COMPATIBLE, "litellm_proxy": COMPATIBLE,
}  # fmt: skip
"""The part before the slash, and the preset."""

NO_PRESET = {
    "bedrock": "Bedrock is not taken over: write `bedrock: {}` under `providers`, with AWS's variables for its region "
    "and credentials, and name its models by their ids alone",
    "vertex_ai": "Vertex AI's service accounts have no preset; use the preset google with an API key",
    "vertex_ai_beta": "Vertex AI's service accounts have no preset; use the preset google with an API key",
    "sagemaker": "SageMaker has no preset",
    "watsonx": "watsonx has no preset",
    "azure_ai": "Azure AI has no preset; name it with dialect openai_chat and its base_url",
    "replicate": "Replicate has no preset",
    "databricks": "Databricks has no preset; name it with dialect openai_chat and its base_url",
}
_BY_STEM = (("gpt-", "openai"), ("chatgpt-", "openai"), ("o1", "openai"), ("o3", "openai"), ("o4", "openai"),
            ("text-embedding-", "openai"), ("claude-", "anthropic"), ("gemini-", "vertex_ai"))  # fmt: skip
_SUFFIXED = frozenset({"ollama"})
"""Servers whose address LiteLLM gives without the `/v1` that their OpenAI-compatible surface has."""


def provider_and_model(params: dict[str, Any]) -> tuple[str, str]:
    """The preset, `openai_like` or a name of NO_PRESET, and the provider's own name of the model.

    `provider/model` says it; else `custom_llm_provider`, else what the model is known by.
    """
    model = str(params["model"])
    prefix, slash, rest = model.partition("/")
    given = params.get("custom_llm_provider")
    if isinstance(given, str) and given:
        return preset_of(given), rest if slash and prefix == given else model
    if slash and (prefix in PRESETS or prefix in NO_PRESET):
        known = preset_of(prefix)
        if known == "openai" and params.get("api_base") is not None and "api.openai.com" not in str(params["api_base"]):
            known = COMPATIBLE
        return known, rest
    if params.get("api_base") is None:
        for stem, provider in _BY_STEM:
            if model.startswith(stem):
                return provider, model
    return COMPATIBLE, model


def preset_of(provider: str) -> str:
    """What LiteLLM's provider is called here; itself where it has no other name."""
    return PRESETS.get(provider, provider if provider in NO_PRESET else COMPATIBLE)


def provider_name(provider: str) -> str:
    """For rows: the preset's name, or LiteLLM's own."""
    known = PRESETS.get(provider)
    return provider if known is None or known == COMPATIBLE else known


def root_url(known: str, url: str) -> str:
    """An address as this provider's own SDK means it."""
    url = url.strip().rstrip("/")
    for ending in ("/chat/completions", "/v1/messages", "/v1/embeddings"):
        url = url.removesuffix(ending)
    if known == "anthropic":
        return url.removesuffix("/v1")
    if known in _SUFFIXED and not url.endswith("/v1"):
        return f"{url}/v1"
    return url
