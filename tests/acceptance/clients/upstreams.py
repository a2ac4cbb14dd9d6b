"""The upstreams of the matrix: one line for each dialect that a provider is spoken to in."""

from dataclasses import dataclass
from typing import get_args

from bascule.config.check import SERVED_DIALECTS
from bascule.testing.script import Dialect


@dataclass(frozen=True)
class Upstream:
    name: str
    """The dialect, by Bascule's name; also that of the surface whose clients can be run against it directly."""
    wire: str
    """The scripted upstream's own name for it."""
    model: str
    """In `configuration`, where its provider speaks this dialect."""

    @property
    def served(self) -> bool:
        """Whether both Bascule and the scripted upstream speak it yet."""
        return self.name in SERVED_DIALECTS and self.wire in get_args(Dialect)


UPSTREAMS: tuple[Upstream, ...] = (
    Upstream("openai_chat", "openai", "oai"),
    Upstream("openai_responses", "responses", "res"),
    Upstream("anthropic_messages", "anthropic", "ant"),
    Upstream("gemini", "gemini", "gem"),
)
