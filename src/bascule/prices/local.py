"""Prices of one installation, newer than the shipped table: `prices.json` in the data directory.

It has the table's own shape and holds whole models: the shipped history of each, and what was taken over since. Only
`bascule prices update` writes it; delete it to go back to the shipped prices.
"""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from bascule.model.errors import BasculeError
from bascule.prices.table import PricedModel, ProviderPrices, Table, read_provider, read_table

FILE_NAME = "prices.json"


class BrokenLocalPrices(BasculeError):
    """The file of local prices cannot be used. To price without it would be to guess which prices hold."""


def read_local(path: Path) -> Table | None:
    """None where there is no such file. Raises BrokenLocalPrices."""
    try:
        table = read_table(path)
        for raw in table.providers.values():
            read_provider(raw)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        remedy = "mend it, or delete it to go back to the shipped prices"
        raise BrokenLocalPrices(f"the local prices in {path} cannot be read ({error}); {remedy}") from error
    if table.sha256 != _digest(_encoded(table.providers)):
        remedy = "it is written by `bascule prices update` alone; delete it and update again"
        raise BrokenLocalPrices(f"the local prices in {path} have been changed by hand; {remedy}")
    return table


def local_models(table: Table | None) -> dict[str, tuple[PricedModel, ...]]:
    """The models of a local table by provider."""
    return {} if table is None else {name: read_provider(raw).models for name, raw in table.providers.items()}


def make_local(models: Mapping[str, tuple[PricedModel, ...]], source: str) -> Table:
    """The table of these models. `source` says where the last of them came from."""
    raw = {name: msgspec.Raw(msgspec.json.encode(ProviderPrices(models=models[name]))) for name in sorted(models)}
    return Table(source=source, overlay=0, sha256=_digest(_encoded(raw)), providers=raw)


def write_local(path: Path, table: Table) -> None:
    """The whole file or none of it, durable before it replaces the old one. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    head = msgspec.json.encode({"source": table.source, "overlay": table.overlay, "sha256": table.sha256})
    try:
        with fresh.open("wb") as stream:
            stream.write(head[:-1] + b',"providers":' + _encoded(table.providers) + b"}\n")
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _encoded(providers: Mapping[str, msgspec.Raw]) -> bytes:
    return b"{" + b",".join([msgspec.json.encode(name) + b":" + bytes(raw) for name, raw in providers.items()]) + b"}"


def _digest(providers: bytes) -> str:
    return hashlib.sha256(providers).hexdigest()
