"""Perplexity, https://docs.perplexity.ai."""

from bascule.providers.spec import ProviderSpec, seat

SPEC = ProviderSpec(
    name="perplexity",
    title="Perplexity",
    dialect="openai_chat",
    base_url="https://api.perplexity.ai",
    key_envs=("PERPLEXITY_API_KEY", "PPLX_API_KEY"),
    paths={"chat": "/chat/completions"},
    stream_usage="always",
    quirks=frozenset({"no_developer_role", "no_done", "strip_unknown"}),
    data=seat("Perplexity", "us"),
    price_provider="perplexity",
    notes="Searches the web for each request. Its plain models have a price per request that covers that. What its"
    " usage does not show of others is refused on a strict budget until a price in the configuration covers it.",
)
