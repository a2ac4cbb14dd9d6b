"""What is sent, in one run with nginx: relayed and translated requests, small ones and an agent's."""

from dataclasses import dataclass
from typing import Literal

from benchmarks import agent_request
from benchmarks.load import chat_body

CHAT_PATH = "/v1/chat/completions"
MESSAGES_PATH = "/v1/messages"

Name = Literal["relay_2k", "translated_2k", "translated_agent_76k", "translated_agent_76k_back"]


@dataclass(frozen=True)
class Case:
    """One kind of request. nginx gets the same bytes as the gateway and hands them on as they are."""

    name: Name
    what: str
    path: str
    body: bytes
    bound: float
    """At most so many times nginx's processor time."""


def cases() -> list[Case]:
    """In the order in which they are measured and printed."""
    return [
        Case("relay_2k", "relayed, 2 KB", CHAT_PATH, chat_body("bench", 2048), 7),
        Case(
            "translated_2k",
            "translated, 2 KB, OpenAI to Anthropic and back",
            CHAT_PATH,
            chat_body("bench-anthropic", 2048),
            9,
        ),
        Case(
            "translated_agent_76k",
            "translated, 76 KB with 28 tools, OpenAI to Anthropic and back",
            CHAT_PATH,
            agent_request.chat_body("bench-anthropic"),
            14,
        ),
        Case(
            "translated_agent_76k_back",
            "translated, 76 KB with 28 tools, Anthropic to OpenAI and back",
            MESSAGES_PATH,
            agent_request.messages_body("bench"),
            14,
        ),
    ]
