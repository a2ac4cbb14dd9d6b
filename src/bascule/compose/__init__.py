"""The only place that builds objects: configuration to ports to engine. No globals anywhere."""

from bascule.compose.gateway import Gateway, SystemClock, Transport, Work
from bascule.compose.reading import DEFAULT_FILE, data_dir_of, installed_presets, price_book, read_document, snapshot_of
from bascule.compose.spending import budgets_of, spent_in
from bascule.compose.store import (
    Store,
    borrowed_from,
    configured_keys,
    database_secrets,
    database_url,
    key_ring,
    open_leases,
    open_shared,
    open_store,
)
from bascule.compose.telemetry import open_telemetry

__all__ = [
    "DEFAULT_FILE",
    "Gateway",
    "Store",
    "SystemClock",
    "Transport",
    "Work",
    "borrowed_from",
    "budgets_of",
    "configured_keys",
    "data_dir_of",
    "database_secrets",
    "database_url",
    "installed_presets",
    "key_ring",
    "open_leases",
    "open_shared",
    "open_store",
    "open_telemetry",
    "price_book",
    "read_document",
    "snapshot_of",
    "spent_in",
]
