"""What was found out about one model's quality, and from whom."""

from typing import Literal

from msgspec import Struct

Source = Literal["declared", "public", "measured", "learned", "live"]
"""From the configuration; a published benchmark; an evaluation of one's own; the learned predictor; live traffic."""

ANY_TASK = "default"
"""The task of what is said of a model in general."""


class Subject(Struct, frozen=True):
    """Whose quality, and at what."""

    model: str
    task: str = ANY_TASK
    snapshot: str | None = None
    """What the provider says that it runs (`gpt-4o-2024-08-06`), or a digest of the endpoint; None: unknown."""
    fingerprint: str | None = None
    """Of the application's system prompt and tools; None: of all applications together."""


class Finding(Struct, frozen=True, kw_only=True):
    """So many observations with this mean."""

    subject: Subject
    source: Source
    mean: float
    """0 to 1."""
    weight: float
    """Observations it counts as: sessions for live ones, prompts for measured ones. Ignored for declared ones."""
    at_ms: int | None = None
    """When it was found; None: not known, and so as old as can be for public ones."""

    def __post_init__(self) -> None:
        if not (0.0 <= self.mean <= 1.0 and self.weight >= 0.0):
            raise ValueError(f"a quality lies from 0 to 1 with a weight of 0 or more, not {self.mean}, {self.weight}")


class Estimate(Struct, frozen=True, kw_only=True):
    """Quality as it is believed: the mean, and the ends of two one-sided 95 % intervals."""

    mean: float
    low: float
    """Below this with 5 % at most; what a floor is compared with."""
    high: float
    observations: float
    """Of this very subject, that is without what was taken over from tasks and models like it."""
    source: Source | None
    """The one with most weight; None where only other models' and tasks' results are known."""
    refuted: bool = False
    """The configuration declares more than was observed."""
