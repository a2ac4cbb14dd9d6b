"""How good a model is for a task, and how that is known: what evidence and predictors tell routing."""

from typing import Literal

from msgspec import Struct

QualitySource = Literal["declared", "public", "measured", "learned", "live"]
"""Configuration; benchmark priors; `bascule eval`; a predictor; shadows, feedback and outcomes of own traffic."""


class Quality(Struct, frozen=True, kw_only=True):
    """One model's quality for one task, 0 to 1. Floors are compared with `low`, never with `mean`."""

    low: float
    """The lower end of the one-sided 95 % interval; a declared quality is its own."""
    mean: float | None = None
    """None: only the bound is known."""
    n: int | None = None
    """Samples behind it; None where it was not sampled (declared), or where the source does not say."""
    source: QualitySource = "declared"
