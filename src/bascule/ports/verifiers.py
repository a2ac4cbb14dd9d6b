"""Trained verifiers: programs of other packages that say how good an answer is."""

from typing import Protocol

from bascule.model.strategy import VerifierPolicy


class Verifiers(Protocol):
    """Those that are installed."""

    async def score(self, policy: VerifierPolicy, question: str, answer: str) -> float | str:
        """From 0 to 1; or why there is none, in a few words. Never raises but for cancellation."""
        ...
