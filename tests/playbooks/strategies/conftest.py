"""Worlds for strategies: those of the engine's playbooks."""

from tests.playbooks.engine.conftest import begin

__all__ = ["begin"]
