"""What translation keeps, by pair of dialects."""

from typing import Literal

from msgspec import Struct

Verdict = Literal["kept", "lost", "refused"]
"""`lost`: the provider answers without it. `refused`: a 400 says so before anything is sent."""


class Cell(Struct, frozen=True, kw_only=True):
    """A client's dialect at a provider's. Features that the client has no word for are left out."""

    client: str
    provider: str
    features: dict[str, Verdict]


class Matrix(Struct, frozen=True, kw_only=True):
    asked: tuple[str, ...]
    """Features of requests, in their order."""
    answered: tuple[str, ...]
    """Features of answers."""
    cells: tuple[Cell, ...]
