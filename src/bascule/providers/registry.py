"""The presets by name, and those of third parties that are handed over."""

from collections.abc import Iterable, Mapping
from importlib import import_module

from bascule.model.errors import Problem
from bascule.providers.spec import ProviderSpec

DEEP = ("openai", "anthropic", "deepseek", "google", "gemini", "azure", "openrouter", "vllm", "ollama")
"""Presets with wire cases, quirks and error classes of their own."""

NAMES = (
    *DEEP,
    "dashscope",
    "zai",
    "moonshot",
    "minimax",
    "mimo",
    "xai",
    "mistral",
    "groq",
    "together",
    "fireworks",
    "cerebras",
    "sambanova",
    "deepinfra",
    "novita",
    "perplexity",
    "nvidia",
    "huggingface",
    "cloudflare",
    "github_models",
    "sglang",
    "llamacpp",
    "lmstudio",
    "cohere",
    "bedrock",
)


def preset(name: str) -> ProviderSpec | None:
    """The shipped preset of this name. Only the module that is asked for is imported."""
    if name not in NAMES:
        return None
    spec: ProviderSpec = import_module(f"bascule.providers.presets.{name}").SPEC
    return spec


def presets() -> tuple[ProviderSpec, ...]:
    """All shipped presets, the deep ones first."""
    return tuple([spec for name in NAMES if (spec := preset(name)) is not None])


class Presets:
    """Shipped presets and those of third parties, looked up by name."""

    def __init__(self, extra: Iterable[ProviderSpec] = (), warnings: tuple[Problem, ...] = ()) -> None:
        self._extra: Mapping[str, ProviderSpec] = {spec.name: spec for spec in extra}
        self.warnings = warnings
        """What the operator should know of the third parties' presets."""

    def get(self, name: str) -> ProviderSpec | None:
        """A shipped preset wins over a third party's of the same name: an installed package changes none of ours."""
        return preset(name) or self._extra.get(name)

    def names(self) -> tuple[str, ...]:
        return (*NAMES, *[name for name in self._extra if name not in NAMES])

    def all(self) -> tuple[ProviderSpec, ...]:
        return (*presets(), *[spec for name, spec in self._extra.items() if name not in NAMES])
