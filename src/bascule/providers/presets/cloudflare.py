"""Cloudflare Workers AI, https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility."""

from bascule.providers.spec import OPEN_WEIGHT_BOUNDS, ProviderSpec, seat

SPEC = ProviderSpec(
    name="cloudflare",
    title="Cloudflare Workers AI",
    dialect="openai_chat",
    base_url="https://api.cloudflare.com/client/v4/accounts/{CLOUDFLARE_ACCOUNT_ID}/ai/v1",
    key_envs=("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_KEY"),
    paths={"chat": "/chat/completions", "embeddings": "/embeddings"},
    quirks=frozenset({"no_developer_role"}),
    data=seat("Cloudflare", "us"),
    bounds=OPEN_WEIGHT_BOUNDS,
    price_provider="cloudflare",
    notes="The account id is part of the base URL.",
)
