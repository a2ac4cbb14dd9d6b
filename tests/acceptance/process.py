"""The real `bascule serve` as a process, and the commands beside it."""

from bascule.testing.chaos.gateway import GatewayProcess as Gateway
from bascule.testing.chaos.gateway import Json, clean_environment

__all__ = ["Gateway", "Json", "clean_environment"]
