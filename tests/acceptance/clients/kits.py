"""What each client is installed from. One table of pins: exact versions of what we call, not where they come from.

To move a pin, change it here and run the script. What a pinned package depends on is the installer's choice of the day.
"""

from dataclasses import dataclass
from typing import Literal

Language = Literal["python", "node"]


@dataclass(frozen=True, kw_only=True)
class Kit:
    """Packages that are installed together, in a folder of their own."""

    name: str
    language: Language
    packages: tuple[str, ...]
    """As the installer of the language takes them, each with its version."""
    developed: str | None = None
    """The distribution whose version is told where the development environment has it: then nothing is installed."""
    postinstall: str | None = None
    """The package's own install step, as a path below node_modules: npm 11 leaves such steps out."""

    @property
    def version(self) -> str:
        """Of the first package."""
        return self.packages[0].rpartition("@" if self.language == "node" else "==")[2]


OPENAI = Kit(name="openai-python", language="python", packages=("openai==3.52.0",), developed="openai")
ANTHROPIC = Kit(name="anthropic-python", language="python", packages=("anthropic==2.11.0",), developed="anthropic")
GENAI = Kit(name="google-genai", language="python", packages=("google-genai==3.6.1",), developed="google-genai")
LANGCHAIN = Kit(
    name="langchain",
    language="python",
    packages=(
        "langchain==1.5.2",
        "langchain-openai==1.7.4",
        "langchain-anthropic==1.7.10",
        "langchain-google-genai==4.4.3",
    ),
)
PYDANTIC_AI = Kit(
    name="pydantic-ai", language="python", packages=("pydantic-ai-slim[openai,anthropic,google]==2.68.0",)
)
INSTRUCTOR = Kit(name="instructor", language="python", packages=("instructor[anthropic,google-genai]==1.17.0",))
LITELLM = Kit(name="litellm", language="python", packages=("litellm==1.110.2",))
OPENAI_JS = Kit(name="openai-js", language="node", packages=("openai@7.59.0", "zod@4.6.7"))
AI_SDK = Kit(
    name="ai-sdk",
    language="node",
    packages=(
        "ai@7.0.173",
        "@ai-sdk/openai@4.0.118",
        "@ai-sdk/openai-compatible@3.0.92",
        "@ai-sdk/anthropic@4.0.105",
        "@ai-sdk/google@4.0.121",
        "zod@4.6.7",
    ),
)
CLAUDE_CODE = Kit(
    name="claude-code",
    language="node",
    packages=("@anthropic-ai/claude-code@2.1.197",),
    postinstall="@anthropic-ai/claude-code/install.cjs",
)
CODEX = Kit(name="codex", language="node", packages=("@openai/codex@0.171.0",))
OPENCODE = Kit(
    name="opencode", language="node", packages=("opencode-ai@1.18.33",), postinstall="opencode-ai/postinstall.mjs"
)
GEMINI_CLI = Kit(name="gemini-cli", language="node", packages=("@google/gemini-cli@0.61.0",))
AIDER = Kit(name="aider", language="python", packages=("aider-chat==0.86.2",))
