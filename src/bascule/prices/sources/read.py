"""A price list from bytes or from an installed package, whichever of the known forms it has."""

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec

from bascule.model.errors import BasculeError
from bascule.prices.sources.genai import as_plain, read_genai
from bascule.prices.sources.litellm import read_litellm
from bascule.prices.sources.models_dev import read_models_dev
from bascule.prices.sources.shape import PriceSource
from bascule.prices.table import Table, read_provider

KINDS = (
    "Bascule's own table, genai-prices' data.json, LiteLLM's model_prices_and_context_window.json and "
    "models.dev's api.json"
)
PACKAGE = "genai-prices"
_HASH = 12


class UnknownPriceList(BasculeError):
    """A file that is no price list of a known form."""


def read_source(raw: bytes, name: str) -> PriceSource:
    """Raises UnknownPriceList. Numbers are taken exactly as they are written, never as floats."""
    try:
        root = msgspec.json.Decoder(float_hook=Decimal).decode(raw)
    except (msgspec.DecodeError, ArithmeticError) as error:
        raise UnknownPriceList(f"{name} is not JSON: {error}") from None
    versioned = f"{name} ({hashlib.sha256(raw).hexdigest()[:_HASH]})"
    try:
        found = _read(root, raw, versioned)
    except (KeyError, TypeError, ValueError, AttributeError, msgspec.ValidationError) as error:
        what = f"{type(error).__name__}: {error}"
        raise UnknownPriceList(f"{name} has the look of a price list and another shape than known ({what})") from error
    if found is None:
        raise UnknownPriceList(f"{name} is no price list of a known form; known are {KINDS}")
    if not any(prices.models for prices in found.providers.values()):
        raise UnknownPriceList(f"{name} holds no price at all")
    return found


def read_source_file(path: Path) -> PriceSource:
    """Raises UnknownPriceList."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UnknownPriceList(f"{path} cannot be read: {error.strerror or 'error'}") from error
    return read_source(raw, path.name)


def installed_genai() -> PriceSource:
    """The installed genai-prices. Raises UnknownPriceList where there is none."""
    try:
        found = version(PACKAGE)
        from genai_prices.data import providers
    except (PackageNotFoundError, ImportError):
        raise UnknownPriceList(
            f"{PACKAGE} is not installed; give a price list's file, or pip install {PACKAGE}"
        ) from None
    return read_genai(as_plain(providers), f"{PACKAGE} {found}, installed")


def _read(root: Any, raw: bytes, name: str) -> PriceSource | None:
    if isinstance(root, list):
        return read_genai(root, name) if root and "models" in root[0] else None
    if not isinstance(root, Mapping):
        return None
    if "sha256" in root and "providers" in root:
        table = msgspec.json.decode(raw, type=Table)
        providers = {key: read_provider(value) for key, value in table.providers.items()}
        return PriceSource(name=f"{name}: {table.version}", kind="bascule", dated=True, providers=providers)
    entries = [entry for entry in root.values() if isinstance(entry, Mapping)]
    if any("litellm_provider" in entry for entry in entries):
        return read_litellm(root, name)
    if entries and all("models" in entry for entry in entries):
        return read_models_dev(root, name)
    return None
