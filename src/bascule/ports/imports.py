"""What others recorded."""

from collections.abc import Iterable
from typing import Protocol

from bascule.model.imported import ImportCounts, Imported


class ImportStore(Protocol):
    """Where rows that others recorded are kept, apart from the ledger's own."""

    def put(self, rows: Iterable[Imported]) -> ImportCounts:
        """Take readings in groups, each of them whole or not at all, so that everything may be repeated; the same
        readings again change nothing. Whoever reads is not held up, and several may put at once.

        Raises StoreError, and BasculeError for a row that is not one of its source.
        """
        ...
