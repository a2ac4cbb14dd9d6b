"""`dated.yaml`: days on which models came out, and what some were measured at, with sources."""

from pathlib import Path

import msgspec
from msgspec import Struct

from bascule.prices.plain import read_plain

DATED_PATH = Path(__file__).with_name("dated.yaml")


class DatedModel(Struct, frozen=True, kw_only=True):
    """A model of the price book on the day it came out, or was measured. `score` is None where it was not."""

    date: str
    provider: str
    model: str
    score: float | None = None


class Measured(Struct, frozen=True, kw_only=True):
    """One benchmark's runs."""

    benchmark: str
    unit: str
    source: str
    runs: tuple[DatedModel, ...]


class Family(Struct, frozen=True, kw_only=True):
    """Successive models in the same place of a maker's line-up."""

    name: str
    source: str
    line: tuple[DatedModel, ...]


class Dated(Struct, frozen=True, kw_only=True):
    measured: Measured
    families: tuple[Family, ...]


def read_dated(path: Path = DATED_PATH) -> Dated:
    """The shipped file. Raises ConfigError or msgspec.ValidationError: the installation is broken."""
    return msgspec.convert(read_plain(path), Dated, strict=False)
