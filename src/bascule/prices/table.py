"""The committed price table: its shape, and reading it.

`table.json` is made by `scripts/compile_prices.py` and never edited by hand. One line per model keeps its diffs
readable. It is read in two steps: a quick split by provider at first use, and each provider's models when that
provider is first asked for.
"""

from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from bascule.model.money import PricePeriod
from bascule.prices.match import Clause

TABLE_PATH = Path(__file__).with_name("table.json")


class Facts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is documented about a model besides its prices. None is unknown."""

    context_window: int | None = None
    max_output: int | None = None
    input: tuple[Literal["text", "image", "audio", "video", "document"], ...] | None = None
    retires: str | None = None
    """ISO date of the announced shutdown."""
    successor: str | None = None
    deprecated: bool = False
    source: str | None = None
    """Where the facts that genai-prices does not have were read, and when."""


class PricedModel(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One model of one provider."""

    id: str
    names: tuple[str, ...] = ()
    """Exact names in lower case; most models have no other."""
    match: Clause | None = None
    """For names that are patterns."""
    periods: tuple[PricePeriod, ...] = ()
    facts: Facts = Facts()
    unpriced: tuple[str, ...] = ()
    """Price keys of genai-prices that no usage bucket of ours can count, e.g. `audio_hours`."""
    source: str | None = None
    """Where the prices come from, if not from genai-prices."""
    standard_tiers: tuple[str, ...] = ()


class ProviderPrices(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One provider's models in order: the first that matches a name is meant."""

    models: tuple[PricedModel, ...]
    fallback: tuple[str, ...] = ()
    """Providers whose models this one also serves at their prices (Azure: OpenAI's), in order."""


class Table(Struct, frozen=True, kw_only=True):
    """The whole table, its providers still undecoded."""

    source: str
    overlay: int
    sha256: str
    """Of the `providers` object's bytes."""
    providers: dict[str, msgspec.Raw]

    @property
    def version(self) -> str:
        """E.g. `genai-prices 0.2.3 + overlay 1 (0123456789ab)`; equal versions mean equal prices."""
        return f"{self.source} + overlay {self.overlay} ({self.sha256[:12]})"


def read_table(path: Path = TABLE_PATH) -> Table:
    """Read and split the table. Raises OSError or msgspec.DecodeError: the installation is broken."""
    return msgspec.json.decode(path.read_bytes(), type=Table)


def read_provider(raw: msgspec.Raw) -> ProviderPrices:
    """Decode one provider's models."""
    return msgspec.json.decode(raw, type=ProviderPrices)
