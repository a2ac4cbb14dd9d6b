"""What a learned router says of a route's candidates, before any of them is asked."""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct


class Predicted(Struct, frozen=True):
    """One model's answer to one prompt, as it is expected."""

    quality: float
    """0 to 1."""
    cost: float
    """As a share of what the best model's answers cost on average."""
    worth: float
    """Quality less cost at the price of quality that training fixed: the greatest goes first."""


class Classifier(Protocol):
    """Deterministic, and without I/O."""

    def __call__(self, system_text: str, user_text: str) -> str | None:
        """What kind of work it is; None: unsure."""
        ...


class Predictor(Protocol):
    """Deterministic, and without I/O."""

    def __call__(self, text: str, task: str | None) -> Mapping[str, Predicted]:
        """By candidate's name; empty where nothing was learned that beats no routing."""
        ...
