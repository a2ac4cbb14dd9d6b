"""The clients: which program asks, through which of the gateway's surfaces, and what it must have tried."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.acceptance.clients import kits
from tests.acceptance.clients.kits import Kit

PLAIN = ("plain", "stream", "tools")
WHOLE = (*PLAIN, "schema")
OPENAI_STEPS = (*WHOLE, "embeddings", "models")
ANTHROPIC_STEPS = (*WHOLE, "count", "models")
ROUTES = {
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "anthropic_messages": "/v1/messages",
    "gemini": "/v1beta/models/any:generateContent",
}
"""Where a surface is; the gateway says 404 to a GET there where it does not serve it, 405 where it does."""


@dataclass(frozen=True, kw_only=True)
class Client:
    """A line of the matrix."""

    name: str
    kit: Kit
    surface: str
    """The client's dialect, by Bascule's name."""
    program: str
    """The file under `programs/`."""
    steps: tuple[str, ...]
    """What the program tells about, all of it to be `ok`."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Further environment variables for the program."""
    command: str | None = None
    """Of an agent: the command that the kit brings and the program starts."""
    points_with: str
    """Whose variables `bascule env` prints for it."""
    quick: bool = False
    """Run by the tests too: installed within seconds, or developed with anyway."""


def _library(kit: Kit, program: str, name: str, surface: str, steps: tuple[str, ...] = WHOLE, **more: bool) -> Client:
    """A library that speaks several dialects tells its program by `CLIENT_SURFACE`, which all programs get."""
    points_with = {"anthropic_messages": "anthropic", "gemini": "gemini"}.get(surface, "openai")
    return Client(name=name, kit=kit, surface=surface, program=program, steps=steps, points_with=points_with, **more)


def _agent(kit: Kit, name: str, surface: str, points_with: str, mode: str = "tools", **more: str) -> Client:
    return Client(
        name=name,
        kit=kit,
        surface=surface,
        program=f"agent_{points_with}.py",
        steps=(mode,),
        settings={"CLIENT_MODE": mode},
        command=more.get("command", points_with),
        points_with=points_with,
    )


CLIENTS: tuple[Client, ...] = (
    _library(kits.OPENAI, "ask_openai.py", "openai-python-chat", "openai_chat", OPENAI_STEPS, quick=True),
    _library(kits.OPENAI, "ask_openai_responses.py", "openai-python-responses", "openai_responses", quick=True),
    _library(
        kits.ANTHROPIC,
        "ask_anthropic.py",
        "anthropic-python",
        "anthropic_messages",
        ANTHROPIC_STEPS,
        quick=True,
    ),
    _library(kits.GENAI, "ask_genai.py", "google-genai", "gemini", (*WHOLE, "count"), quick=True),
    _library(kits.OPENAI_JS, "ask_openai.mjs", "openai-js-chat", "openai_chat", (*WHOLE, "models"), quick=True),
    _library(kits.OPENAI_JS, "ask_openai_responses.mjs", "openai-js-responses", "openai_responses", quick=True),
    _library(kits.AI_SDK, "ask_ai_sdk.mjs", "ai-sdk-chat", "openai_chat", quick=True),
    _library(kits.AI_SDK, "ask_ai_sdk.mjs", "ai-sdk-responses", "openai_responses", quick=True),
    _library(kits.AI_SDK, "ask_ai_sdk.mjs", "ai-sdk-anthropic", "anthropic_messages", quick=True),
    _library(kits.AI_SDK, "ask_ai_sdk.mjs", "ai-sdk-google", "gemini", quick=True),
    _library(kits.LANGCHAIN, "ask_langchain.py", "langchain-openai-chat", "openai_chat"),
    _library(kits.LANGCHAIN, "ask_langchain.py", "langchain-openai-responses", "openai_responses"),
    _library(kits.LANGCHAIN, "ask_langchain.py", "langchain-anthropic", "anthropic_messages"),
    _library(kits.LANGCHAIN, "ask_langchain.py", "langchain-google", "gemini"),
    _library(kits.PYDANTIC_AI, "ask_pydantic_ai.py", "pydantic-ai-chat", "openai_chat"),
    _library(kits.PYDANTIC_AI, "ask_pydantic_ai.py", "pydantic-ai-responses", "openai_responses"),
    _library(kits.PYDANTIC_AI, "ask_pydantic_ai.py", "pydantic-ai-anthropic", "anthropic_messages"),
    _library(kits.PYDANTIC_AI, "ask_pydantic_ai.py", "pydantic-ai-google", "gemini"),
    _library(kits.INSTRUCTOR, "ask_instructor.py", "instructor-chat", "openai_chat", ("extract", "schema", "stream")),
    _library(kits.INSTRUCTOR, "ask_instructor.py", "instructor-responses", "openai_responses", ("extract", "stream")),
    _library(kits.INSTRUCTOR, "ask_instructor.py", "instructor-anthropic", "anthropic_messages", ("extract", "stream")),
    _library(kits.INSTRUCTOR, "ask_instructor.py", "instructor-google", "gemini", ("extract", "schema", "stream")),
    _library(kits.LITELLM, "ask_litellm.py", "litellm-chat", "openai_chat"),
    _library(kits.LITELLM, "ask_litellm.py", "litellm-responses", "openai_responses", PLAIN),
    _library(kits.LITELLM, "ask_litellm.py", "litellm-anthropic", "anthropic_messages"),
    _library(kits.LITELLM, "ask_litellm.py", "litellm-google", "gemini", PLAIN),
    _agent(kits.CLAUDE_CODE, "claude-code-plain", "anthropic_messages", "claude", "plain"),
    _agent(kits.CLAUDE_CODE, "claude-code-tool", "anthropic_messages", "claude"),
    _agent(kits.CLAUDE_CODE, "claude-code-subagent", "anthropic_messages", "claude", "subagent"),
    _agent(kits.CLAUDE_CODE, "claude-code-interactive", "anthropic_messages", "claude", "interactive"),
    _agent(kits.CODEX, "codex", "openai_responses", "codex"),
    _agent(kits.AIDER, "aider", "openai_chat", "aider", "edit"),
    _agent(kits.OPENCODE, "opencode", "openai_chat", "opencode"),
    _agent(kits.GEMINI_CLI, "gemini-cli", "gemini", "gemini"),
)
