"""GitHub Models, https://docs.github.com/github-models."""

from bascule.providers.spec import ProviderSpec, seat

SPEC = ProviderSpec(
    name="github_models",
    title="GitHub Models",
    dialect="openai_chat",
    base_url="https://models.github.ai/inference",
    key_envs=("GITHUB_MODELS_TOKEN",),
    paths={"chat": "/chat/completions", "embeddings": "/embeddings"},
    quirks=frozenset({"no_developer_role"}),
    data=seat("GitHub", "us"),
    notes="The variable is deliberately not GITHUB_TOKEN: that one is often set for other purposes and "
    "must not leave by itself.",
)
