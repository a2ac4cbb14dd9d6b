"""Where the rows of a report come from: segments where they are fresh, the ledger for the rest."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from bascule.model.row import AttemptRow, RowFilter
from bascule.ports import LedgerReader

Span = tuple[int, int]
"""[since_ms, until_ms) in milliseconds since the epoch."""


class Segment(Struct, frozen=True):
    """A Parquet file of `attempts`, and what of it to read."""

    path: Path
    fresh: tuple[Span, ...] | None = None
    """Rows that started in these spans; None is all of them."""
    empty: frozenset[str] = frozenset()
    """Columns that have no value in it, as far as is known."""
    sums: Path | None = None
    """A file of the sums of all its rows (`schema.SUM_COLUMNS`)."""
    span: Span = (0, 0)
    """All its rows started in it; told where there are sums."""


class Portion(Struct, frozen=True):
    """Every row that a filter's period has, once: those in segments, and the others."""

    segments: tuple[Segment, ...]
    rows: Iterable[AttemptRow]


class Sources(Protocol):
    def portion(self, where: RowFilter) -> Portion:
        """What covers the filter; it may cover more. Raises StoreError."""
        ...


class LedgerRows:
    """Implements `Sources` without segments."""

    def __init__(self, ledger: LedgerReader) -> None:
        self._ledger = ledger

    def portion(self, where: RowFilter) -> Portion:
        return Portion((), self._ledger.attempts(where, by_request=True))
