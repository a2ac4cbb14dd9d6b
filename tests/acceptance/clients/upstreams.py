"""The upstreams of the matrix: one line for each dialect that a provider is spoken to in."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Upstream:
    name: str
    """The dialect, by Bascule's name; also that of the surface whose clients can be run against it directly."""
    wire: str
    """The scripted upstream's own name for it."""
    model: str
    """In `configuration`, where its provider speaks this dialect."""


UPSTREAMS: tuple[Upstream, ...] = (
    Upstream("openai_chat", "openai", "oai"),
    Upstream("openai_responses", "responses", "res"),
    Upstream("anthropic_messages", "anthropic", "ant"),
    Upstream("gemini", "gemini", "gem"),
)
