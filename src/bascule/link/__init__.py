"""Configuration, presets and prices become one immutable snapshot that a request keeps for its life."""

from bascule.link.build import link, with_server
from bascule.link.provider import LinkedProvider
from bascule.link.snapshot import ConfiguredKey, Snapshot

__all__ = ["ConfiguredKey", "LinkedProvider", "Snapshot", "link", "with_server"]
