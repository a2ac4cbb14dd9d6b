"""The data directory as imports of providers' reports see it, and whose account a call is on."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bascule.config.load import Document
from bascule.model.imported import PLAN_TAG, ImportCounts, Imported, on_plan
from bascule.model.row import AttemptRow, RowFilter
from bascule.offline.imports.account_run import ProviderOf

if TYPE_CHECKING:
    from bascule import compose


class Books:
    """Implements `account_run.Store` over the data directory."""

    def __init__(self, store: "compose.Store") -> None:
        self._store = store

    def put(self, rows: Sequence[Imported]) -> ImportCounts:
        return self._store.imports.put(rows)

    def attempts(self, where: RowFilter) -> Iterable[AttemptRow]:
        return self._store.view.attempts(where)


def provider_of(document: Document) -> ProviderOf:
    """Whose account a call is on: the preset that its provider is of, None where it was made on a plan."""
    presets = {name: one.preset or name for name, one in document.config.providers.items()}
    seats = [one for one in document.config.contracts if one.seats is not None]

    def of(call: AttemptRow) -> str | None:
        provider = None if call.provider is None else presets.get(call.provider, call.provider)
        if on_plan(call.origin, call.tags.get(PLAN_TAG)):
            return None
        if any(one.provider in (call.provider, provider) and call.client in one.covers for one in seats):
            return None
        return provider

    return of
